package mockidp

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"slices"
	"time"
)

// insteadOfMetadata sends what faults have in place of a document, and reports whether there is such a fault.
func (s *Server) insteadOfMetadata(w http.ResponseWriter, r *http.Request, faults []Fault) bool {
	var set faultSet
	for _, f := range faults {
		set.add(f)
	}
	if set.delay > 0 {
		pause(r, set.delay)
	}
	w.Header().Set("Content-Type", "application/samlmetadata+xml")
	for _, f := range faults {
		switch f.Kind {
		case DropConnection:
			panic(http.ErrAbortHandler) // makes net/http close the connection without a log line
		case ServerError:
			http.Error(w, "mockidp: an injected fault: "+http.StatusText(set.status), set.status)
		case MetadataHTML:
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = io.WriteString(w, "<!DOCTYPE html><html><head><title>Welcome</title></head><body><p>Please sign in to the "+
				"network.</p></body></html>\n")
		case MetadataEmpty:
			w.WriteHeader(http.StatusOK)
		case MetadataRedirect:
			to := f.URL
			if to == "" {
				to = s.prefix + r.URL.EscapedPath()
			}
			w.Header().Set("Location", to)
			w.WriteHeader(http.StatusFound)
		case MetadataNotModified:
			w.WriteHeader(http.StatusNotModified)
		case MetadataEndless:
			sendEndless(w)
		case MetadataBomb:
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(s.federation.bomb())
		default:
			continue
		}
		return true
	}
	return false
}

// sendEndless sends entities until the client closes the connection.
func sendEndless(w http.ResponseWriter) {
	e, err := new(generator).entity(0)
	if err != nil {
		return
	}
	_, werr := io.WriteString(w, startTag("md:EntitiesDescriptor", true, [2]string{"ID", "_endless"}))
	for text := e.within(); werr == nil; {
		_, werr = w.Write(text)
	}
}

// makeBomb compresses a document that begins well.
func makeBomb() []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = io.WriteString(z, startTag("md:EntitiesDescriptor", true, [2]string{"ID", "_bomb"})) // to memory
	blanks := bytes.Repeat([]byte(" "), 1<<20)
	for range 256 {
		_, _ = z.Write(blanks)
	}
	_, _ = io.WriteString(z, "</md:EntitiesDescriptor>")
	_ = z.Close()
	return b.Bytes()
}

// spoilBody sends a body slowly or in part, and reports whether a fault wants that.
func spoilBody(w http.ResponseWriter, r *http.Request, parts [][]byte, size int, faults []Fault) bool {
	at := slices.IndexFunc(faults, func(f Fault) bool { return f.Kind == MetadataSlow || f.Kind == MetadataAbort })
	if at < 0 {
		return false
	}
	f := faults[at]
	if f.Kind == MetadataAbort {
		for _, p := range firstOf(parts, size/2) {
			_, _ = w.Write(p)
		}
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	const steps = 100
	chunk, wait := 1, time.Second
	if f.For > 0 {
		chunk, wait = size/steps+1, f.For/steps
	}
	for _, part := range parts {
		for piece := range slices.Chunk(part, chunk) {
			if _, err := w.Write(piece); err != nil || http.NewResponseController(w).Flush() != nil || !pause(r, wait) {
				return true
			}
		}
	}
	return true
}

// pause waits, and reports whether the client is still there.
func pause(r *http.Request, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-r.Context().Done():
		return false
	}
}
