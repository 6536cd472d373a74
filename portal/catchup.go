package portal

import "context"

// CatchUp is for [Sessions] that several nodes of a Region share, where a node
// may know a moment later what was acknowledged by another. Something that wraps
// such a Sessions passes it on.
type CatchUp interface {
	// CatchUp returns when this node knows all sessions that were acknowledged
	// in its Region before the call.
	CatchUp(ctx context.Context) error
}

// surely is Sessions.Get where the answer that there is no session would be
// taken for its end: it was made at another node perhaps, a moment ago.
func (p *Portal) surely(ctx context.Context, key string) (Session, error) {
	if all, ok := p.cfg.Sessions.(CatchUp); ok {
		if err := all.CatchUp(ctx); err != nil {
			return Session{}, err
		}
	}
	return p.cfg.Sessions.Get(ctx, key)
}
