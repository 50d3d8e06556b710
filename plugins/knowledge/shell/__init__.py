"""What this plugin adds to `faro`: `find`, `import`, `take-back`, `export`, `purge`, `forget` and `bench`."""

from plugins.knowledge.shell.faro_bench import bench
from plugins.knowledge.shell.faro_export import export_command
from plugins.knowledge.shell.faro_find import find
from plugins.knowledge.shell.faro_import import import_command
from plugins.knowledge.shell.faro_purge import forget, purge
from plugins.knowledge.shell.faro_take_back import take_back

__all__ = ["COMMANDS", "bench", "export_command", "find", "forget", "import_command", "purge", "take_back"]

COMMANDS = (bench, export_command, find, forget, import_command, purge, take_back)
