package mockidp

import (
	"io"
	"net/http"
)

// pathHealth is outside of the prefix of Config.OddPaths: a probe has a fixed address.
const pathHealth = "/healthz"

// withHealth answers probes, which don't reach h. A probe may use any address of the machine as its Host, as those of
// Kubernetes do, and learns nothing: it is neither logged nor recorded.
func withHealth(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != pathHealth || r.Method != http.MethodGet && r.Method != http.MethodHead {
			h.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		_, _ = io.WriteString(w, "ok\n") // net/http drops it for HEAD
	})
}
