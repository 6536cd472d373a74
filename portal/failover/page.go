package failover

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // for the page and its style
	"encoding/base64"
	"html/template"
	"net/http"
	"strconv"
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

// page is a page in the portal's style without external resources. New makes it once, so it contains no data of a
// request. Its link repeats the request by GET.
type page struct {
	body   []byte
	policy string
}

// newPage panics if the embedded template is wrong.
func newPage(title, action, text string) page {
	var b bytes.Buffer
	tmpl := template.Must(template.New("page").Parse(pageHTML))
	if err := tmpl.Execute(&b, struct {
		Title, Text, Action string
		Style               template.CSS
	}{title, text, action, template.CSS(pageCSS)}); err != nil {
		panic("failover: " + err.Error())
	}
	style := sha256.Sum256([]byte(pageCSS))
	return page{
		body: b.Bytes(),
		policy: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(style[:]) +
			"'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
	}
}

func (p page) write(w http.ResponseWriter, status int) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(p.body))) // for HEAD too
	h.Set("Content-Security-Policy", p.policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(status)
	_, _ = w.Write(p.body) // fails only if the browser is gone
}
