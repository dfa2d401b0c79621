from hypothesis import settings

# The same examples in every run, and no verdict about the speed of a busy machine.
settings.register_profile("steady", deadline=None, derandomize=True, database=None)
settings.load_profile("steady")
