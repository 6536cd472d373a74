package portal

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/meridian-saml/meridian/acs/sessions"
)

// health is the last result of the portal's probe of itself. PathHealth gives
// that result: a request causes no write, however many clients ask.
type health struct {
	began time.Time     // when the portal was made
	first chan struct{} // closed when there is a result

	mu   sync.Mutex
	at   time.Time // when the result came; zero: none yet
	down error
}

func newHealth() *health { return &health{began: time.Now(), first: make(chan struct{})} }

const (
	// probeWait bounds one probe.
	probeWait = 5 * time.Second
	// probesMissed is how many results may be missing in a row. A store that
	// heeds no context leaves the probe waiting, and so must make a sign-in wait.
	probesMissed = 4
)

// probing probes until Config.Context ends.
func (p *Portal) probing() {
	every := time.NewTicker(p.cfg.ProbeEvery)
	defer every.Stop()
	for {
		p.probed(p.look(p.cfg.Context))
		select {
		case <-every.C:
		case <-p.cfg.Context.Done():
			return
		}
	}
}

// probed keeps a result, and logs the change for better or worse.
func (p *Portal) probed(down error) {
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
		p.cfg.Logger.ErrorContext(ctx, "portal: not healthy", "region", p.cfg.Region, "cause", down.Error())
	case down == nil && before != nil:
		p.cfg.Logger.InfoContext(ctx, "portal: healthy again", "region", p.cfg.Region)
	}
}

// result returns the last result, or why there is none that is recent. It waits
// only for the first one, and only in the portal's first seconds: while a probe
// hangs, requests must not pile up.
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
	// Instants of this process alone: the wall clock may be set meanwhile.
	if h.at.IsZero() || time.Since(h.at) > probesMissed*every+probeWait {
		return unavailable("probe", errors.New("it has no recent result"))
	}
	return h.down
}

// healthy says whether people can sign in here, and nothing else: any client can
// ask. How the Regions stand is on the operators' page. That other Regions can't
// be heard is no reason to say no, unless MaxStaleness makes it one.
func (p *Portal) healthy(w http.ResponseWriter, r *http.Request) {
	body, status := `{"status":"ok"}`, http.StatusOK
	if !p.serves(r.Context()) {
		body, status = `{"status":"unavailable"}`, http.StatusServiceUnavailable
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body + "\n")) // net/http drops it for HEAD
}

// serves says whether a sign-in begun now could end in a session.
func (p *Portal) serves(ctx context.Context) bool {
	if p.mayBegin() != nil || p.cfg.Context.Err() != nil {
		return false
	}
	return p.health.result(ctx, p.cfg.ProbeEvery) == nil
}

// look does what a sign-in does: it writes to the stores, takes, and reads. It
// also wants the clock to be right enough for a sign-in.
func (p *Portal) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, probeWait)
	defer cancel()
	name, err := p.random(nameBytes)
	if err != nil {
		return err
	}
	// No key is used twice: where another node's probe fails between the two, its
	// record goes with its lifetime.
	key := "portal.health." + name
	if err := p.cfg.Store.Add(ctx, key, []byte("ok"), p.cfg.Now().Add(time.Minute)); err != nil {
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
	if _, err := p.cfg.Sessions.Get(ctx, hashed("portal health", name)); err != nil && !errors.Is(err, sessions.ErrNoSession) {
		return unavailable("read of a session", err)
	}
	return p.checkClock(ctx)
}
