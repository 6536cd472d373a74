//go:build unix

package regions_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/meridian-saml/meridian/examples/internal/loopback"
	"github.com/meridian-saml/meridian/examples/internal/region"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
)

// controlHandler serves an operator's actions at a node, and the checker's queries.
func controlHandler(r *region.Region) http.Handler {
	mux := http.NewServeMux()
	done := func(w http.ResponseWriter, err error) {
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		}
	}
	say := func(w http.ResponseWriter, v any) { _ = json.NewEncoder(w).Encode(v) }
	mux.HandleFunc("POST /user", func(w http.ResponseWriter, req *http.Request) {
		name := req.FormValue("name")
		v := r.View()
		if v == nil {
			done(w, fmt.Errorf("not ready"))
			return
		}
		done(w, v.Update(func(tx *center.Tx) error {
			return tx.PutUser(center.User{ID: name, UserName: name, Inactive: req.FormValue("active") == ""})
		}))
	})
	mux.HandleFunc("POST /revoke", func(w http.ResponseWriter, req *http.Request) {
		done(w, r.Sessions().RevokeUser(req.Context(), req.FormValue("user")))
	})
	mux.HandleFunc("GET /peers", func(w http.ResponseWriter, _ *http.Request) { say(w, r.Peers()) })
	mux.HandleFunc("GET /digest", func(w http.ResponseWriter, _ *http.Request) { say(w, r.Digest()) })
	return mux
}

// controlClient calls a node's controlHandler.
type controlClient int // port

var controlHTTP = &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

func (d controlClient) url(path string) string { return "http://" + loopback.Address(int(d)) + path }

// do makes a change. No error: it was acknowledged.
func (d controlClient) do(path string, form url.Values) error {
	res, err := controlHTTP.PostForm(d.url(path), form)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", path, b)
	}
	return err
}

func (d controlClient) get(ctx context.Context, path string, v any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url(path), nil)
	if err != nil {
		return err
	}
	res, err := controlHTTP.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	return json.NewDecoder(res.Body).Decode(v)
}

// heard returns the time up to which a node has the data of another Region.
func (d controlClient) heard(ctx context.Context, region string) (at time.Time) {
	var peers []portal.Peer
	if d.get(ctx, "/peers", &peers) == nil {
		for _, p := range peers {
			if p.Region == region {
				at = p.Heard
			}
		}
	}
	return at
}

func (d controlClient) digest(ctx context.Context) (out replica.Digest, err error) {
	err = d.get(ctx, "/digest", &out)
	return out, err
}
