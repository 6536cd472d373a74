package portal

import "context"

// A Prober is for [Sessions] that are kept somewhere. Something that wraps such
// a Sessions passes it on.
type Prober interface {
	// Probe writes what Create writes, where Create writes it, and returns when
	// it is as durable as a session is. It leaves nothing that a user sees, and no
	// more each time. The error says why a session can't be kept now. A Portal
	// calls it every few seconds, and not because of a request.
	Probe(ctx context.Context) error
}
