"""What this plugin adds to `faro`: `find`, `import`, `export` and `bench`, each in a file of its own."""

from plugins.knowledge.shell.faro_bench import bench
from plugins.knowledge.shell.faro_export import export_command
from plugins.knowledge.shell.faro_find import find
from plugins.knowledge.shell.faro_import import import_command

__all__ = ["COMMANDS", "bench", "export_command", "find", "import_command"]

COMMANDS = (bench, export_command, find, import_command)
