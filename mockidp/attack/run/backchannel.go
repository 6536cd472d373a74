package run

import (
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/beevik/etree"
)

// BackChannel answers the calls that a service provider makes to its identity provider by SOAP (Bindings 3.2): to
// resolve an artifact, and to ask for attributes. It has the answers of the attack that is being run. The address where
// it is served must be IdP.BackChannel before the service provider reads the metadata, so it is not that of a page that
// browsers open. For Target.OtherIdP it is another path of the same server.
//
//	idp.BackChannel = "http://127.0.0.1:8082/" // and then idp.Metadata()
//	target.BackChannel = new(run.BackChannel)
//	server := &http.Server{Addr: "127.0.0.1:8082", Handler: target.BackChannel, ReadHeaderTimeout: 10 * time.Second}
//	go server.ListenAndServe()
type BackChannel struct {
	mu     sync.Mutex
	answer answer // guarded by mu; nil: calls are refused
	calls  int    // guarded by mu: since answer was set
}

// answer answers a call. It may be called by several goroutines.
type answer func(http.ResponseWriter, call)

// call is a message of a service provider.
type call struct {
	id       string // of the ArtifactResolve or of the AttributeQuery
	artifact string
	nameID   string // about which it asks
	query    string // of the address
	ended    <-chan struct{}
}

const (
	maxCall       = 1 << 20
	soapType      = "text/xml; charset=utf-8"
	artifactIndex = 1
)

// ServeHTTP answers a call.
func (b *BackChannel) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxCall))
	doc := etree.NewDocument()
	if err != nil || doc.ReadFromBytes(body) != nil || doc.Root() == nil {
		http.Error(w, "not a call by SOAP", http.StatusBadRequest)
		return
	}
	c := call{query: r.URL.RawQuery, ended: r.Context().Done()}
	for _, name := range []string{"ArtifactResolve", "AttributeQuery"} {
		if el := doc.Root().FindElement("./Body/" + name); el != nil {
			c.id = el.SelectAttrValue("ID", "")
			c.artifact, c.nameID = textAt(el, "./Artifact"), textAt(el, "./Subject/NameID")
		}
	}
	b.mu.Lock()
	answer := b.answer
	b.calls++
	b.mu.Unlock()
	if answer == nil || c.id == "" {
		http.Error(w, "no attack is being run", http.StatusServiceUnavailable)
		return
	}
	answer(w, c)
}

func textAt(el *etree.Element, path string) string {
	if at := el.FindElement(path); at != nil {
		return strings.TrimSpace(at.Text())
	}
	return ""
}

// expect has the next calls answered. The result says how many there were.
func (b *BackChannel) expect(a answer) (calls func() int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answer, b.calls = a, 0
	return func() int {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.calls
	}
}

// refuse ends what expect began: further calls get no answer of the attack.
func (b *BackChannel) refuse() { b.expect(nil) }

// sending answers each call with what document makes.
func sending(document func(call) ([]byte, error)) answer {
	return func(w http.ResponseWriter, c call) {
		envelope, err := document(c)
		if err != nil {
			http.Error(w, "it can't be made", http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", soapType)
		_, _ = w.Write(envelope)
	}
}
