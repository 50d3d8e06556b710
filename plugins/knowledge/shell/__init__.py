"""What this plugin adds to `faro`: `find`, `import`, `export`, `purge`, `forget` and `bench`."""

from plugins.knowledge.shell.faro_bench import bench
from plugins.knowledge.shell.faro_export import export_command
from plugins.knowledge.shell.faro_find import find
from plugins.knowledge.shell.faro_import import import_command
from plugins.knowledge.shell.faro_purge import forget, purge

__all__ = ["COMMANDS", "bench", "export_command", "find", "forget", "import_command", "purge"]

COMMANDS = (bench, export_command, find, forget, import_command, purge)
