package main

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/meridian-saml/meridian/examples/internal/corp"
	"github.com/meridian-saml/meridian/examples/internal/region"
	"github.com/meridian-saml/meridian/portal/center"
)

// The door is where the parent asks a Region what no browser may: on loopback,
// at a port of its own, for whoever shows the token.
type door struct {
	region *region.Region
	token  string
}

const (
	pathDigest = "/digest" // GET: what the replica knows, as hashes
	pathState  = "/state"  // GET: how the Region stands
	pathAssign = "/assign" // POST: a change to permissions
)

// state is how a Region stands.
type state struct {
	// Active is how many Regions it knows as active.
	Active int `json:"active"`
	// Peers are the other Regions as it hears them.
	Peers map[string]string `json:"peers"`
}

// refusal is what became of a change.
type refusal struct {
	Reason  center.Reason `json:"reason"` // "": it was made
	Primary string        `json:"primary"`
}

func (d *door) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+pathDigest, func(w http.ResponseWriter, _ *http.Request) { d.answer(w, d.region.Digest()) })
	mux.HandleFunc("GET "+pathState, func(w http.ResponseWriter, _ *http.Request) { d.answer(w, d.state()) })
	mux.HandleFunc("POST "+pathAssign, func(w http.ResponseWriter, _ *http.Request) { d.answer(w, d.assign()) })
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), []byte("Bearer "+d.token)) != 1 {
			http.Error(w, "not for you", http.StatusUnauthorized)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func (d *door) answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

func (d *door) state() state {
	out := state{Peers: map[string]string{}}
	for _, r := range d.region.View().Regions() {
		if r.Active() {
			out.Active++
		}
	}
	for _, p := range d.region.Peers() {
		out.Peers[p.Region] = string(p.State)
	}
	return out
}

// assign gives Bob something, which only the primary may do.
func (d *door) assign() refusal {
	grant := center.Assignment{Principal: center.UserPrincipal(corp.Bob), AccountID: corp.Sandbox, PermissionSet: corp.ReadOnly}
	err := d.region.View().Update(func(tx *center.Tx) error { return tx.Assign(grant) })
	var refused *center.Error
	if errors.As(err, &refused) {
		return refusal{refused.Reason, refused.Primary}
	} else if err != nil {
		return refusal{Reason: center.Reason(err.Error())}
	}
	return refusal{}
}
