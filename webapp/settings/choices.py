"""Settings that are one of a few words."""

from enum import StrEnum


class LogLevel(StrEnum):
    """How much the servers write to standard error."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    """How log records are written."""

    TEXT = "text"
    JSON = "json"


class StoreKind(StrEnum):
    """Where jobs can live."""

    REDIS = "redis"
    SQLITE = "sqlite"


class DatabaseKind(StrEnum):
    """Where users, reports and logs can live."""

    POSTGRES = "postgres"
    SQLITE = "sqlite"


class RetryKind(StrEnum):
    """How pauses between attempts grow."""

    EXPONENTIAL = "exponential"
    FIXED = "fixed"


class MailTransport(StrEnum):
    """Where mails go."""

    SMTP = "smtp"
    OUTBOX = "outbox"


class MailEncryption(StrEnum):
    """How the way to the mail server is encrypted."""

    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


class InDoubt(StrEnum):
    """What becomes of a mail that may have been taken or not."""

    LEAVE = "leave"
    RESEND = "resend"


class StorageKind(StrEnum):
    """Where files of reports can live."""

    S3 = "s3"
    FOLDER = "folder"


class RateLimitStorage(StrEnum):
    """Where requests are counted."""

    MEMORY = "memory"
    REDIS = "redis"
