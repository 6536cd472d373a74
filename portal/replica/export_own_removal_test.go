package replica

// Erased is closed when a Node has erased what its removed Region had.
func Erased(n *Node) <-chan struct{} { return n.erased }

// Tick does what the maintenance does once a minute.
func Tick(n *Node) {
	n.ledger.sweep(n.cfg.Now(), n.cfg.Skew)
	n.ledger.sweepDeparted(n.cfg.Now(), n.cfg.MaxSession, n.cfg.Skew)
	n.wakeMaintenance()
}
