package portal

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"
)

// health remembers the last look at what sign-in needs, so that strangers who
// ask often cause no more work than one who asks once.
type health struct {
	mu   sync.Mutex // held while looking: who asks meanwhile gets that answer
	at   time.Time  // when the look was over; zero: never
	down error
}

const (
	healthEvery = time.Second
	healthWait  = 2 * time.Second
)

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
	here, ok := p.regionNamed(p.cfg.Region)
	if !ok || !here.Active() || p.stale() != nil {
		return false
	}
	p.health.mu.Lock()
	defer p.health.mu.Unlock()
	now := p.cfg.Now()
	if age := now.Sub(p.health.at); p.health.at.IsZero() || age < 0 || age >= healthEvery {
		before := p.health.down
		// Not the asker's context: one who goes away would make us look ill.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), healthWait)
		p.health.down = p.look(ctx)
		cancel()
		// Not when it began: a store that hangs makes looks longer than
		// healthEvery, and who waits would then look again, one after another.
		p.health.at = p.cfg.Now()
		if p.health.down != nil && before == nil {
			p.cfg.Logger.ErrorContext(ctx, "portal: not healthy", "region", p.cfg.Region, "cause", p.health.down.Error())
		}
	}
	return p.health.down == nil
}

// look does to the stores what a sign-in does: write, take, and read.
func (p *Portal) look(ctx context.Context) error {
	name, err := p.random(nameBytes)
	if err != nil {
		return err
	}
	key := "portal.health." + name
	if err := p.cfg.Store.Add(ctx, key, []byte("ok"), p.cfg.Now().Add(time.Minute)); err != nil {
		return unavailable("write to the store", err)
	}
	if _, err := p.cfg.Store.Take(ctx, key); err != nil {
		return unavailable("read from the store", err)
	}
	if _, err := p.cfg.Sessions.Get(ctx, hashed("portal health", name)); err != nil && !errors.Is(err, ErrNoSession) {
		return unavailable("read of a session", err)
	}
	return nil
}
