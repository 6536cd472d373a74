package main

import (
	"net/http"
	"strings"
)

// slug is a name as part of an address.
func slug(name string) string { return strings.ToLower(strings.ReplaceAll(name, " ", "-")) }

// application stands in for a business application that was deployed in a
// Region: it goes down with it.
func (w *world) application(rw http.ResponseWriter, req *http.Request, r *region) {
	secure(rw.Header())
	for _, a := range w.center.Snapshot().Data().Applications {
		if a.Region == r.Name && slug(a.Name) == req.PathValue("name") {
			rw.Header().Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
			rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
			_, _ = rw.Write([]byte(a.Name + " runs in " + r.Name + " (" + r.Label + ").\n\nA stand-in for the application that would be here.\n"))
			return
		}
	}
	http.NotFound(rw, req)
}
