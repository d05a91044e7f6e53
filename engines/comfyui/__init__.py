"""ComfyUI servers with a workflow of the operator's."""
