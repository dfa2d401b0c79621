"""What each of our brokers does instead of what it does not promise.

The tables in `docs/*/Brokers.md` are made of this: `python -m tests.contract.differences` writes
them anew.
"""

from collections.abc import Mapping
from pathlib import Path

from atode.testing.differences import Differences, Promise

MEMORY: Differences = {
    Promise.TRANSACTIONAL: "no transactions",
    Promise.EXAMINED: "finds nothing",
    Promise.SIZES: "0 bytes",
}

SQLITE: Differences = {
    Promise.SIZES: "0 bytes",
}

POSTGRES: Differences = {
    Promise.SIZES: "0 bytes",
    Promise.WAITING: "since it was handed back",
}

REDIS: Differences = {
    Promise.TRANSACTIONAL: "refused with `BadOption`: Redis is not where your data is",
    Promise.FRACTIONS: "whole seconds, as in asynq's format: timeout and retention rounded up, "
    "deadline down",
    Promise.INSTANTS: "the second, as in asynq's format",
    Promise.LISTED: "within a second, in the order of their ids; they run in the right one",
    Promise.WAITING: "unknown, as with asynq",
    Promise.JOINED: "those of one second in the order of their ids, which atode makes so that "
    "later ones sort later",
    Promise.LATENESS: "forgotten, so it is not counted as late",
    Promise.SUCCESSORS: "taken for its own, if the same worker has claimed both",
    Promise.PLACES: "up to a second later, as with asynq",
    Promise.LOCK_TIMES: "by the server's clock, as with asynq; it shows only in tests with a fake "
    "clock",
}

COLUMNS: Mapping[str, Differences] = {
    "SQLite": SQLITE,
    "PostgreSQL": POSTGRES,
    "Redis, Valkey, Cluster": REDIS,
    "memory": MEMORY,
}

JAPANESE: Mapping[str, str] = {
    "promise": "約束",
    "memory": "メモリー",
    "yes": "○",
    Promise.TRANSACTIONAL: "`transaction=` で、アプリ側のトランザクションの中でジョブを登録できる",
    Promise.EXAMINED: "`atode doctor` が、ジョブの進まない原因を見つける",
    Promise.SIZES: "`atode queues` が、キューのおおよそのバイト数を表示する",
    Promise.FRACTIONS: "タイムアウト・期限・保持期間を秒未満まで保つ",
    Promise.INSTANTS: "ジョブが失敗・完了した時刻をミリ秒まで記録する",
    Promise.LISTED: "実行待ちの遅延ジョブを、予定時刻の順に一覧する",
    Promise.WAITING: "ワーカーから戻されたジョブが、いつから待っているかわかる",
    Promise.JOINED: "グループのジョブを、加わった順に取り出す",
    Promise.LATENESS: "待機中に移行した遅延ジョブが、本来の予定時刻を覚えている",
    Promise.SUCCESSORS: "遅れて届いた報告が、後から同じ ID で登録されたジョブに影響しない",
    Promise.PLACES: "セマフォの枠が、指定した時刻ちょうどに空く",
    Promise.LOCK_TIMES: "ユニークジョブのロックが、ワーカー側の時計に従って切れる",
    "no transactions": "トランザクションなし",
    "since it was handed back": "戻された時刻からの経過になる",
    "finds nothing": "何も検出しない",
    "0 bytes": "0 バイト",
    REDIS[Promise.TRANSACTIONAL]: "`BadOption` で拒否（アプリのデータは Redis にないため）",
    REDIS[
        Promise.FRACTIONS
    ]: "asynq の形式に合わせて整数秒（タイムアウトと保持期間は切り上げ、期限は切り捨て）",
    REDIS[Promise.INSTANTS]: "asynq の形式に合わせて秒まで",
    REDIS[Promise.LISTED]: "同じ秒の中では ID 順（実行は予定時刻の順）",
    REDIS[Promise.WAITING]: "asynq と同じく不明",
    REDIS[
        Promise.JOINED
    ]: "同じ秒に加わったものは ID 順。atode が作る ID は、後のものほど後ろに並ぶ",
    REDIS[Promise.LATENESS]: "忘れる。遅れとして数えられない",
    REDIS[
        Promise.SUCCESSORS
    ]: "同じワーカーが両方を確保した場合は、そのジョブへの報告として受け付ける",
    REDIS[Promise.PLACES]: "asynq と同じく、最大 1 秒遅れる",
    REDIS[
        Promise.LOCK_TIMES
    ]: "asynq と同じく、サーバーの時計に従う（差が出るのは擬似時計を使うテストだけ）",
}

DOCUMENTS = Path(__file__).parents[2] / "docs"
_START = "<!-- differences -->\n"
_END = "<!-- end -->"


def table(language: str) -> str:
    """The table of differences in `en` or `ja`."""

    def word(text: str) -> str:
        return JAPANESE[text] if language == "ja" and text in JAPANESE else text

    rows = [[word("promise"), *map(word, COLUMNS)], ["---"] * (len(COLUMNS) + 1)]
    for promise in Promise:
        cells = [word(each.get(promise, "yes")) for each in COLUMNS.values()]
        rows.append([word(promise), *cells])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def document(language: str) -> Path:
    """The page that shows it."""
    return DOCUMENTS / language / "Brokers.md"


def shown(language: str) -> str:
    """The table that the page has now."""
    text = document(language).read_text(encoding="utf-8")
    return text.partition(_START)[2].partition(_END)[0]


def main() -> None:
    for language in ("en", "ja"):
        page = document(language)
        text = page.read_text(encoding="utf-8")
        before, _, rest = text.partition(_START)
        after = rest.partition(_END)[2]
        page.write_text(f"{before}{_START}{table(language)}{_END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
