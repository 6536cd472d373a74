package sessions

import "context"

// A Prober is a [Store] that keeps sessions somewhere they may fail to be kept.
// What wraps such a Store passes it on.
type Prober interface {
	// Probe writes what Create writes, where Create writes it, and returns when
	// it is as durable as a session is. It leaves nothing that a user sees, and no
	// more each time. The error says why a session can't be kept now. Callers call
	// it every few seconds, and not because of a request.
	Probe(ctx context.Context) error
}

// CatchUp is a [Store] that several nodes of a Region share, where a node may know
// a moment later what was acknowledged by another. What wraps such a Store passes
// it on.
type CatchUp interface {
	// CatchUp returns when this node knows all sessions that were acknowledged
	// in its Region before the call.
	CatchUp(ctx context.Context) error
}
