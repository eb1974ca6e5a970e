"""What the workflow deployers share: the graph of operations, modes, policy and plan; emitters only translate the plan."""
