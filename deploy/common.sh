# Sourced by the other scripts: the project's folder, and its own Python before any other.
cd "$(dirname "$0")/.."
PATH=$PWD/.venv/bin:$PATH
export PATH
