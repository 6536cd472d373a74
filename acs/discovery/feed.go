package discovery

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/meridian-saml/meridian/saml"
)

// Feed returns a handler of the list as JSON, for a page of your own: in the form of the
// DiscoFeed of Shibboleth's service provider. It is made once for each list.
func (p *Page) Feed() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		setHeaders(w.Header())
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		x := p.current()
		x.feed.Do(x.encode)
		body, h := x.json, w.Header()
		h.Set("Cache-Control", "no-cache") // ask with the ETag
		h.Set("Content-Type", "application/json")
		h.Set("Vary", "Accept-Encoding")
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			body = x.gzipped
			h.Set("Content-Encoding", "gzip")
		}
		h.Set("ETag", x.etag)
		if strings.Contains(r.Header.Get("If-None-Match"), x.etag) {
			h.Del("Content-Encoding")
			w.WriteHeader(http.StatusNotModified)
			return
		}
		h.Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = w.Write(body)
	})
}

type feedText struct {
	Value string `json:"value"`
	Lang  string `json:"lang,omitempty"`
}

type feedLogo struct {
	feedText
	Height int `json:"height"`
	Width  int `json:"width"`
}

type feedEntry struct {
	EntityID     string     `json:"entityID"`
	DisplayNames []feedText `json:"DisplayNames,omitempty"`
	Descriptions []feedText `json:"Descriptions,omitempty"`
	Keywords     []feedText `json:"Keywords,omitempty"`
	Logos        []feedLogo `json:"Logos,omitempty"`
}

// encode makes the feed. Logos that are data in the metadata are left out, because they
// would be most of it.
func (x *index) encode() {
	all := make([]feedEntry, 0, len(x.entries))
	for _, e := range x.entries {
		out := feedEntry{EntityID: e.EntityID, DisplayNames: feedTexts(e.Names),
			Descriptions: feedTexts(e.Description.Descriptions), Keywords: feedTexts(e.Keywords)}
		if len(out.DisplayNames) == 0 {
			out.DisplayNames = []feedText{{e.name(nil), "en"}}
		}
		for _, l := range e.Logos {
			if !strings.HasPrefix(l.URL, "data:") {
				out.Logos = append(out.Logos, feedLogo{feedText{l.URL, l.Lang}, l.Height, l.Width})
			}
		}
		all = append(all, out)
	}
	x.json, _ = json.Marshal(all) // fails for no value of these types
	sum := sha256.Sum256(x.json)
	x.etag = `W/"` + hex.EncodeToString(sum[:16]) + `"` // weak: the same for both encodings
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(x.json)
	_ = z.Close()
	x.gzipped = b.Bytes()
}

func feedTexts(texts []saml.LocalizedText) (out []feedText) {
	for _, t := range texts {
		out = append(out, feedText{t.Text, t.Lang})
	}
	return out
}
