package replica

// Erased is closed when a Node has erased what its removed Region had.
func Erased(n *Node) <-chan struct{} { return n.erased }

// Tick does what the maintenance does once a minute.
func Tick(n *Node) {
	n.sweep()
	n.wakeMaintenance()
}
