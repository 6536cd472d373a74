package sessions

import "context"

// Prober is implemented by a [Store] whose writes can fail. A wrapper of such a Store passes it on.
type Prober interface {
	// Probe writes what Create writes, to the same place, and returns when it is as durable as a session is.
	// Users see nothing of it, and repeated calls take no more room. The error says why a session can't be
	// kept now. Callers call it every few seconds, and not because of a request.
	Probe(ctx context.Context) error
}

// CatchUp is implemented by a [Store] that several nodes of a Region share, where a node may learn with a delay
// of what another acknowledged. A wrapper of such a Store passes it on.
type CatchUp interface {
	// CatchUp returns when this node knows all sessions that were acknowledged in its Region before the call.
	CatchUp(ctx context.Context) error
}
