package mockidp

import (
	"cmp"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// The kinds of faults in answers by SOAP, at each of the endpoints unless Fault.Endpoint names one. With Endpoint,
// Delay, DropConnection and ServerError affect these, too.
const (
	SOAPFault    FaultKind = "soap-fault"    // a Fault, with the status 500
	SOAPHTML     FaultKind = "soap-html"     // an HTML page, with the status 200
	SOAPRedirect FaultKind = "soap-redirect" // a redirect (307) to Fault.URL; zero: to the same address
	SOAPSlow     FaultKind = "soap-slow"     // the body takes Fault.For; zero: one byte a second
	SOAPEndless  FaultKind = "soap-endless"  // blanks without end
	SOAPType     FaultKind = "soap-type"     // another Content-Type
	SOAPDoctype  FaultKind = "soap-doctype"  // a DOCTYPE before the Envelope
	SOAPHeader   FaultKind = "soap-header"   // a header block that must be understood, and isn't
)

// bySOAP reports whether f affects answers by SOAP.
func (f Fault) bySOAP() bool { return strings.HasPrefix(string(f.Kind), "soap-") }

// longestSilence bounds how long an answer may keep a client waiting.
const longestSilence = 5 * time.Minute

// takeTransportFaults returns the faults of the next answer at an endpoint, by SOAP or through the browser.
func (s *Server) takeTransportFaults(at Endpoint, app string, bySOAP bool) []Fault {
	return s.takeFaultsOf(func(f Fault) bool {
		here := f.Endpoint == at && (bySOAP || !f.bySOAP()) || f.Endpoint == "" && f.bySOAP() && bySOAP
		return here && (f.App == "" || f.App == app)
	})
}

// before does what faults do before an answer, and reports whether they replace it.
func before(w http.ResponseWriter, r *http.Request, faults []Fault) bool {
	var set faultSet
	for _, f := range faults {
		set.add(f)
	}
	if set.delay > 0 {
		pause(r, min(set.delay, longestSilence))
	}
	switch {
	case set.has(DropConnection):
		panic(http.ErrAbortHandler) // makes net/http close the connection without a log line
	case set.status != 0:
		http.Error(w, "mockidp: an injected fault: "+http.StatusText(set.status), set.status)
		return true
	}
	return false
}

// spoilSOAP sends an answer with its faults, and reports whether there are some that matter here.
func spoilSOAP(w http.ResponseWriter, r *http.Request, faults []Fault, message []byte) bool {
	if before(w, r, faults) {
		return true
	}
	w.Header().Set("Content-Type", soapType)
	for _, f := range faults {
		switch f.Kind {
		case SOAPFault:
			writeSOAP(w, http.StatusInternalServerError, soapFault("mockidp: an injected fault"))
		case SOAPHTML:
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = io.WriteString(w, "<!DOCTYPE html><html><head><title>Welcome</title></head><body></body></html>\n")
		case SOAPRedirect:
			w.Header().Set("Location", cmp.Or(f.URL, r.RequestURI))
			w.WriteHeader(http.StatusTemporaryRedirect)
		case SOAPSlow:
			spoilBody(w, r, [][]byte{envelope(message)}, len(envelope(message)), []Fault{{Kind: MetadataSlow, For: f.For}})
		case SOAPEndless:
			blanks := []byte(strings.Repeat(" ", 1<<10))
			for _, err := w.Write(blanks); err == nil && r.Context().Err() == nil; {
				_, err = w.Write(blanks)
			}
		case SOAPType:
			w.Header().Set("Content-Type", "application/octet-stream")
			_, _ = w.Write(envelope(message))
		case SOAPDoctype:
			_, _ = w.Write(slices.Concat([]byte("<!DOCTYPE Envelope>"), envelope(message)))
		case SOAPHeader:
			header := `<S:Header><h:Unknown xmlns:h="` + elsewhere + `" S:mustUnderstand="1"/></S:Header>`
			_, _ = io.WriteString(w, strings.Replace(string(envelope(message)), "<S:Body>", header+"<S:Body>", 1))
		default:
			continue
		}
		return true
	}
	return false
}
