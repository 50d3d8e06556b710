"""Shell commands of the plugin: `find`, `import`, `undo-import`, `export`, `purge`, `forget` and `bench`."""

from plugins.knowledge.cli.bench import bench
from plugins.knowledge.cli.export_file import export_command
from plugins.knowledge.cli.find import find
from plugins.knowledge.cli.import_file import import_command
from plugins.knowledge.cli.purge import forget, purge
from plugins.knowledge.cli.undo_import import undo_import

__all__ = ["COMMANDS", "bench", "export_command", "find", "forget", "import_command", "purge", "undo_import"]

COMMANDS = (bench, export_command, find, forget, import_command, purge, undo_import)
