package attack

// Rows lists the whole catalogue in order.
func Rows() []Row { return rows() }
