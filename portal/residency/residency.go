// Package residency is a report of where the data of an instance is: each kind of data, in each Region, with its file
// or stream, the key that it is sealed under, and how long it is kept.
//
// A Region reports what is in it, and nothing else: [portal/replica.Node.Residency] what is replicated. A program adds
// what it keeps itself, such as its store of sign-ins, the file of its keys, its audit and its backups:
//
//	all, err := node.Residency(ctx)
//	all = append(all,
//		residency.Place{Kind: residency.SignIns, Region: region, Where: "memory", Kept: "15 minutes"},
//		residency.Place{Kind: residency.Keys, Region: region, Where: "/etc/meridian/keys", Key: "a passphrase"})
//	report := residency.New(all)
//
// The report of an instance is made of those of its Regions. No report names a user.
package residency

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"text/tabwriter"
)

// Kind is a kind of data.
type Kind string

// The kinds of data.
const (
	Users         Kind = "users"
	Groups        Kind = "groups"
	Assignments   Kind = "assignments"
	Applications  Kind = "applications"  // with those who may use them
	Configuration Kind = "configuration" // Regions, accounts, permission sets, identity providers: it names no user
	Sessions      Kind = "sessions"
	Codes         Kind = "codes"       // that hand a sign-in over
	Revocations   Kind = "revocations" // of sessions, sign-ins and users
	Logouts       Kind = "logouts"     // what an identity provider ended
	Shortcuts     Kind = "shortcuts"   // of users: what they opened last, and favourites
	SignIns       Kind = "sign-ins"    // records of requests, used assertions and logouts in an acs.Store
	Positions     Kind = "positions"   // of streams, with the keys of proofs and digests: they name no user
	Keys          Kind = "keys"
	Audit         Kind = "audit"
	Backups       Kind = "backups"
)

// A Place is where one kind of data is.
type Place struct {
	Kind   Kind   `json:"kind"`
	Region string `json:"region"` // where it is
	// From is the Region that wrote it, and sent this one a copy. Empty: Region itself.
	From  string `json:"from,omitempty"`
	Where string `json:"where"` // the file, directory, stream or server
	// Key is what it is sealed under. Empty: it isn't sealed.
	Key  string `json:"key,omitempty"`
	Kept string `json:"kept"` // until when
}

// A Report is the places of data, sorted by kind, Region and origin.
type Report []Place

// New makes a Report of places, such as those of several Regions.
func New(places ...[]Place) Report {
	out := Report(slices.Concat(places...))
	slices.SortFunc(out, func(a, b Place) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Region, b.Region), cmp.Compare(a.From, b.From),
			cmp.Compare(a.Where, b.Where))
	})
	return slices.Compact(out)
}

// Regions returns the Regions that have data of a kind, sorted. Empty: of any kind.
func (r Report) Regions(k Kind) (out []string) {
	for _, p := range r {
		if (k == "" || p.Kind == k) && !slices.Contains(out, p.Region) {
			out = append(out, p.Region)
		}
	}
	slices.Sort(out)
	return out
}

// WriteText writes the report as a table.
func (r Report) WriteText(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "DATA\tREGION\tFROM\tWHERE\tSEALED UNDER\tKEPT")
	for _, p := range r {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", p.Kind, p.Region, cmp.Or(p.From, p.Region), p.Where,
			cmp.Or(p.Key, "not sealed"), p.Kept)
	}
	return t.Flush()
}

// Handler serves a report: as JSON to a client that accepts it, and otherwise as plain text. It admits every client, so
// the caller puts it where only operators reach it.
func Handler(report func(*http.Request) (Report, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		r, err := report(req)
		if err != nil {
			http.Error(w, "The report can't be made now.", http.StatusServiceUnavailable)
			return
		}
		if h.Add("Vary", "Accept"); strings.Contains(req.Header.Get("Accept"), "application/json") {
			h.Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(r)
			return
		}
		h.Set("Content-Type", "text/plain; charset=utf-8")
		_ = r.WriteText(w)
	})
}
