package portal

import (
	"context"

	"github.com/meridian-saml/meridian/acs/sessions"
)

// surely is Sessions.Get where the answer that there is no session would be
// taken for its end: it was made at another node perhaps, a moment ago.
func (p *Portal) surely(ctx context.Context, key string) (sessions.Session, error) {
	if all, ok := p.cfg.Sessions.(sessions.CatchUp); ok {
		if err := all.CatchUp(ctx); err != nil {
			return sessions.Session{}, err
		}
	}
	return p.cfg.Sessions.Get(ctx, key)
}
