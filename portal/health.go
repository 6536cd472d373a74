package portal

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/meridian-saml/meridian/acs/sessions"
)

// health is the last result of the portal's probe. PathHealth returns that result, so a request causes no write.
type health struct {
	began time.Time     // when the portal was made
	first chan struct{} // closed after the first result

	mu   sync.Mutex
	at   time.Time // when the result arrived; zero: none yet
	down error
}

func newHealth() *health { return &health{began: time.Now(), first: make(chan struct{})} }

const (
	// probeWait bounds one probe.
	probeWait = 5 * time.Second
	// probesMissed is how many consecutive results may be missing. A store that ignores its context blocks the probe,
	// and would block a sign-in too.
	probesMissed = 4
)

func (p *Portal) probing() {
	every := time.NewTicker(p.cfg.ProbeEvery)
	defer every.Stop()
	for {
		p.setHealth(p.probe(p.cfg.Context))
		select {
		case <-every.C:
		case <-p.cfg.Context.Done():
			return
		}
	}
}

func (p *Portal) setHealth(down error) {
	h := p.health
	h.mu.Lock()
	before, first := h.down, h.at.IsZero()
	h.at, h.down = time.Now(), down
	if first {
		close(h.first)
	}
	h.mu.Unlock()
	switch ctx := p.cfg.Context; {
	case ctx.Err() != nil:
	case down != nil && before == nil:
		p.log.ErrorContext(ctx, "portal: not healthy", "cause", down.Error())
	case down == nil && before != nil:
		p.log.InfoContext(ctx, "portal: healthy again")
	}
}

// result returns the last result, or an error if there is no recent one. It waits only for the first result, and only
// in the portal's first seconds, so that requests don't pile up while a probe hangs.
func (h *health) result(ctx context.Context, every time.Duration) error {
	wait := time.NewTimer(probeWait - time.Since(h.began))
	defer wait.Stop()
	select {
	case <-h.first:
	case <-wait.C:
	case <-ctx.Done():
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	// This uses the monotonic clock, because the wall clock may be set meanwhile.
	if h.at.IsZero() || time.Since(h.at) > probesMissed*every+probeWait {
		return unavailable("probe", errors.New("no recent result"))
	}
	return h.down
}

// healthy answers whether users should be sent here: a sign-in begun now can succeed, and no operator took the Region
// out of rotation. It gives no details, because any client can request it. An overloaded portal is healthy: otherwise
// its users would overload the next Region.
func (p *Portal) healthy(w http.ResponseWriter, r *http.Request) {
	body, status := `{"status":"ok"}`, http.StatusOK
	if p.region.Overloaded() {
		body = `{"status":"overloaded"}`
	}
	if p.outOfRotation() {
		body, status = `{"status":"drained"}`, http.StatusServiceUnavailable
	}
	if p.mayBegin() != nil || p.cfg.Context.Err() != nil || p.health.result(r.Context(), p.cfg.ProbeEvery) != nil {
		body, status = `{"status":"unavailable"}`, http.StatusServiceUnavailable
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body + "\n")) // net/http drops it for HEAD
}

// probe does what a sign-in does: it writes to the stores, takes, and reads. It also checks that the clock is accurate
// enough for a sign-in.
func (p *Portal) probe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, probeWait)
	defer cancel()
	name := randomHex(nameBytes)
	// Each key is used once. If a node fails between the two calls, its record expires.
	key := "portal.health." + name
	if err := p.cfg.Store.Add(ctx, key, []byte("ok"), p.now().Add(time.Minute)); err != nil {
		return unavailable("write to the store", err)
	}
	if _, err := p.cfg.Store.Take(ctx, key); err != nil {
		return unavailable("read from the store", err)
	}
	if s, ok := p.cfg.Sessions.(sessions.Prober); ok {
		if err := s.Probe(ctx); err != nil {
			return unavailable("write of a session", err)
		}
	}
	_, err := p.cfg.Sessions.Get(ctx, hashed("portal health", name))
	if err != nil && !errors.Is(err, sessions.ErrNoSession) {
		return unavailable("read of a session", err)
	}
	return p.checkClock(ctx)
}
