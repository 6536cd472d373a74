package acs

import (
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"time"

	"github.com/meridian-saml/meridian/saml"
)

// faultForm is a SOAP Fault (SOAP 1.1, section 4.4). Its text is a fixed sentence with a reference, so that it tells a
// client whose message did not verify nothing about the reason.
const faultForm = `<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body><soap:Fault>` +
	`<faultcode>soap:%s</faultcode><faultstring>%s Reference: %s</faultstring></soap:Fault></soap:Body></soap:Envelope>`

// mediaType returns the media type of a body, or nothing if the header is invalid.
func mediaType(r *http.Request) string {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return kind
}

// bySOAP reports whether a request came by SOAP, so that its answer is not a page.
func bySOAP(r *http.Request) bool { return r.Method == http.MethodPost && mediaType(r) == soapType }

// refuseBySOAP answers a LogoutRequest by SOAP that was refused: with a LogoutResponse if the signature of a known
// identity provider verified, and with a Fault otherwise (Bindings 3.2.3.3). req is nil if a rule of package saml
// refused the request.
func (c *Consumer) refuseBySOAP(
	w http.ResponseWriter, r *http.Request, req *saml.VerifiedLogoutRequest, refusal error, a answer, reference string,
) {
	envelope, err := c.refusalOf(req, refusal, a)
	if err != nil {
		c.logLogoutError(r, "saml logout not answered", err)
	}
	if envelope == nil {
		writeFault(w, a, reference)
		return
	}
	writeEnvelope(w, http.StatusOK, envelope)
}

// refusalOf returns the envelope with a LogoutResponse, or nil if a Fault is the answer.
func (c *Consumer) refusalOf(req *saml.VerifiedLogoutRequest, refusal error, a answer) ([]byte, error) {
	var answer *saml.LogoutResponse
	var err error
	switch {
	case req == nil:
		answer, err = c.cfg.SP.NewLogoutRefusal(refusal)
	case a.status >= http.StatusInternalServerError:
		answer, err = c.cfg.SP.NewLogoutResponse(req, saml.LogoutFailed)
	default:
		answer, err = c.cfg.SP.NewLogoutResponse(req, saml.LogoutRefused)
	}
	if err != nil || answer == nil {
		return nil, err
	}
	return answer.Envelope()
}

// writeFault answers with a Fault. Its status is always 500 (SOAP 1.1, section 6.2).
func writeFault(w http.ResponseWriter, a answer, reference string) {
	code, text := "Client", "The message was not accepted."
	if a.status >= http.StatusInternalServerError {
		code, text = "Server", "The service is not available right now."
	}
	if a.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(a.retryAfter/time.Second)))
	}
	writeEnvelope(w, http.StatusInternalServerError, fmt.Appendf(nil, faultForm, code, text, reference))
}

func writeEnvelope(w http.ResponseWriter, status int, envelope []byte) {
	w.Header().Set("Content-Type", soapType+"; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(envelope)
}
