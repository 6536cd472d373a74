package mockidp

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/xml"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/beevik/etree"
)

// The SOAP binding (SAML Bindings 3.2) over SOAP 1.1.
const (
	bindingSOAP = "urn:oasis:names:tc:SAML:2.0:bindings:SOAP"
	nsSOAP      = "http://schemas.xmlsoap.org/soap/envelope/"
	soapAction  = "http://www.oasis-open.org/committees/security"
	soapType    = "text/xml; charset=utf-8"
	soapTimeout = 10 * time.Second // of a call of the Server
)

// soap returns the handler of a SOAP endpoint. h returns the message to answer with; an error becomes a Fault.
func (s *Server) soap(at Endpoint, h func(*http.Request, *state, *App, incoming) ([]byte, *Error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		in, err := readSOAP(w, r)
		st := s.state.Load()
		var app *App
		if err == nil {
			app, err = st.appAt(r)
		}
		var out []byte
		if err == nil {
			out, err = h(r, st, app, in)
		}
		status := http.StatusOK
		if err != nil {
			s.config.Logger.Warn("mockidp: refused", "reason", err.Reason, "detail", err.Error())
			status, out = http.StatusInternalServerError, soapFault(err.Error())
		}
		if app != nil && spoilSOAP(w, r, s.takeTransportFaults(at, app.ID, true), out) {
			return
		}
		writeSOAP(w, status, out)
	}
}

// readSOAP reads the message of a SOAP request, and the client's certificate.
func readSOAP(w http.ResponseWriter, r *http.Request) (incoming, *Error) {
	got := r.Header.Get("Content-Type")
	if kind, _, err := mime.ParseMediaType(got); err != nil || kind != "text/xml" {
		return incoming{}, mismatch(ReasonBinding, "text/xml", got, "the Content-Type isn't that of SOAP 1.1 "+
			"(SAML Bindings 3.2.3)")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if int64(len(body)) >= maxRequest {
		return incoming{}, tooLarge("the SOAP request")
	}
	if err != nil {
		return incoming{}, malformed(err, "the SOAP request is incomplete")
	}
	in, bad := parseSOAP(body, "SAMLRequest")
	if bad == nil && r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
		in.client = r.TLS.PeerCertificates[0]
	}
	return in, bad
}

// parseSOAP returns the one element of an envelope's Body as a message. param is the parameter that the message has in
// the other bindings.
func parseSOAP(doc []byte, param string) (incoming, *Error) {
	bad := func(format string, args ...any) (incoming, *Error) {
		return incoming{}, malformed(nil, format, args...)
	}
	root, err := parseRequestXML(doc)
	if err != nil {
		err.Detail = strings.ReplaceAll(err.Detail, "SAMLRequest", "the SOAP message")
		return incoming{}, err
	}
	if nameOf(root) != (xml.Name{Space: nsSOAP, Local: "Envelope"}) {
		return bad("the message is no Envelope of SOAP 1.1, but %s", quote(root.Tag))
	}
	if header := childNamed(root, xml.Name{Space: nsSOAP, Local: "Header"}); header != nil {
		for block := range header.ChildElementsSeq() {
			for _, a := range block.Attr {
				if a.Key == "mustUnderstand" && a.NamespaceURI() == nsSOAP && a.Value != "0" {
					return bad("the header block %s must be understood, and isn't", quote(block.Tag))
				}
			}
		}
	}
	body := childNamed(root, xml.Name{Space: nsSOAP, Local: "Body"})
	if body == nil || len(body.ChildElements()) != 1 {
		return bad("the Envelope must have a Body with one element")
	}
	el := body.ChildElements()[0]
	if nameOf(el) == (xml.Name{Space: nsSOAP, Local: "Fault"}) {
		text := el.SelectElement("faultstring")
		if text == nil {
			return bad("the message is a SOAP Fault")
		}
		return bad("the message is a SOAP Fault: %s", quote(text.Text()))
	}
	declareInScope(el)
	message, werr := canonical(etree.NewDocumentWithRoot(el.Copy())).WriteToBytes()
	if werr != nil {
		return incoming{}, malformed(werr, "the SOAP message can't be read")
	}
	return incoming{binding: bindingSOAP, param: param, message: string(message), has: true}, nil
}

// envelope returns a SOAP message with an element.
func envelope(message []byte) []byte {
	if whole, ok := bytes.CutPrefix(message, []byte(asItIs)); ok {
		return whole
	}
	return slices.Concat([]byte(`<S:Envelope xmlns:S="`+nsSOAP+`"><S:Body>`), withoutDeclaration(message),
		[]byte(`</S:Body></S:Envelope>`))
}

// soapFault returns a Fault (SOAP 1.1, section 4.4).
func soapFault(text string) []byte {
	escaped, _ := escapeXML(text) // to memory
	return []byte(`<S:Fault><faultcode>S:Client</faultcode><faultstring>` + escaped + `</faultstring></S:Fault>`)
}

func writeSOAP(w http.ResponseWriter, status int, message []byte) {
	w.Header().Set("Content-Type", soapType)
	w.WriteHeader(status)
	_, _ = w.Write(envelope(message))
}

// callSOAP sends a message to a service provider by SOAP, and returns the message in the answer. Redirects aren't
// followed. The error is for users.
func (s *Server) callSOAP(ctx context.Context, to string, message []byte, param string) (incoming, *Error) {
	failed := func(err error) (incoming, *Error) {
		return incoming{}, &Error{Reason: ReasonNoAnswer, Detail: "the call by SOAP failed", Err: err}
	}
	ctx, cancel := context.WithTimeout(ctx, soapTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(envelope(message)))
	if err != nil {
		return failed(err)
	}
	req.Header.Set("Content-Type", soapType)
	req.Header.Set("SOAPAction", `"`+soapAction+`"`)
	client := s.OutboundClient()
	defer client.CloseIdleConnections()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := client.Do(req)
	if err != nil {
		return failed(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxRequest))
	if err != nil {
		return failed(err)
	}
	if len(body) == maxRequest {
		return incoming{}, tooLarge("the answer by SOAP")
	}
	in, bad := parseSOAP(body, param)
	if resp.StatusCode != http.StatusOK {
		detail := "the call by SOAP was answered with the status " + resp.Status
		return in, &Error{Reason: ReasonNoAnswer, Detail: detail, Err: asError(bad)}
	}
	return in, bad
}

// asError returns a nil error for a nil *Error.
func asError(e *Error) error {
	if e == nil {
		return nil
	}
	return e
}

// presents reports whether the client proved possession of a key of the app by its TLS certificate.
func (a *App) presents(client *x509.Certificate) bool {
	return client != nil && slices.ContainsFunc(a.RequestCertificates, func(c *x509.Certificate) bool {
		return bytes.Equal(c.RawSubjectPublicKeyInfo, client.RawSubjectPublicKeyInfo)
	})
}
