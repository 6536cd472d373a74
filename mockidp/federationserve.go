package mockidp

import (
	"encoding/pem"
	"net/http"
	"strconv"
	"strings"
)

const (
	pathQuery         = "/federation/" // the base of draft-young-md-query
	pathFederation    = pathQuery + "metadata.xml"
	pathFederationKey = pathQuery + "certificate.pem"
	pathEntities      = pathQuery + "entities"
)

// federationRoutes are the pages of the federation, of a Server that isn't a tenant.
func (s *Server) federationRoutes() map[string]handler {
	if s.root != nil {
		return nil
	}
	return map[string]handler{
		"GET " + pathFederation: s.handleAggregate,
		// All entities (draft-young-md-query 3.2.2).
		"GET " + pathEntities:           s.handleAggregate,
		"GET " + pathEntities + "/{id}": s.handleQuery,
		"GET " + pathFederationKey:      s.handleFederationKey,
	}
}

func (s *Server) handleFederationKey(w http.ResponseWriter, _ *http.Request) *Error {
	k, err := s.federation.signer(s, goodKey)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/x-pem-file")
	w.Header().Set("Content-Disposition", `inline; filename="federation.pem"`)
	_ = pem.Encode(w, &pem.Block{Type: "CERTIFICATE", Bytes: k.key.cert.Raw})
	return nil
}

func (s *Server) handleAggregate(w http.ResponseWriter, r *http.Request) *Error {
	return s.serveFederation(w, r, EndpointAggregate, "")
}

// handleQuery answers a query for an entity (draft-young-md-query 3.2.1). The mux has decoded the segment once, as it
// must be: a slash in it was %2F.
func (s *Server) handleQuery(w http.ResponseWriter, r *http.Request) *Error {
	id, err := s.federation.resolve(s, r.PathValue("id"))
	if err != nil {
		return err
	}
	if id == "" {
		return noEntity(w)
	}
	return s.serveFederation(w, r, EndpointQuery, id)
}

func noEntity(w http.ResponseWriter) *Error {
	http.Error(w, "mockidp: the federation doesn't have this entity", http.StatusNotFound)
	return nil
}

// serveFederation sends a document, or what the faults in force make of it.
func (s *Server) serveFederation(w http.ResponseWriter, r *http.Request, at Endpoint, entityID string) *Error {
	faults := s.takeFederationFaults(at, entityID)
	s.config.Logger.Info("mockidp: federation", "endpoint", at, "entity", cut(entityID), "faults", kindsOf(faults))
	if s.insteadOfMetadata(w, r, faults) {
		return nil
	}
	want := wanted{entity: entityID}
	for _, f := range faults {
		f.changes(&want)
	}
	if has(faults, MetadataOtherEntity) {
		want.entity = s.anotherEntity(entityID)
	}
	d, err := s.federation.document(s, want)
	if err != nil {
		return err
	}
	if d == nil {
		return noEntity(w)
	}
	s.sendMetadataDocument(w, r, d, faults)
	return nil
}

// sendMetadataDocument sends a document as RFC 9110 says, compressed if the client accepts it.
func (s *Server) sendMetadataDocument(w http.ResponseWriter, r *http.Request, d *document, faults []Fault) {
	h := w.Header()
	h.Set("Content-Type", "application/samlmetadata+xml")
	h.Set("Cache-Control", "no-cache") // the ETag says whether a copy is current
	h.Add("Vary", "Accept-Encoding")
	if has(faults, MetadataCut) {
		d = newDocumentOf([]byte("half\x00"+d.etag), firstOf(d.parts, d.size()/2)...)
	}
	parts, etag := d.parts, d.etag
	if acceptsGzip(r.Header.Get("Accept-Encoding")) {
		h.Set("Content-Encoding", "gzip")
		parts, etag = [][]byte{d.zip()}, etag+"-gzip" // an ETag is that of one encoding (RFC 9110 8.8.3.3)
	}
	if has(faults, MetadataSameETag) {
		etag = "mockidp"
	}
	h.Set("ETag", strconv.Quote(etag))
	spoiled := has(faults, MetadataSlow) || has(faults, MetadataAbort) // these need a body
	if matches(r.Header.Get("If-None-Match"), etag) && !spoiled {
		h.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	size := 0
	for _, p := range parts {
		size += len(p)
	}
	h.Set("Content-Length", strconv.Itoa(size))
	if spoilBody(w, r, parts, size, faults) {
		return
	}
	for _, p := range parts {
		if _, err := w.Write(p); err != nil {
			return
		}
	}
}

// firstOf returns the first n bytes of parts, without a copy: a big document may be sent to many clients.
func firstOf(parts [][]byte, n int) (out [][]byte) {
	for _, p := range parts {
		out = append(out, p[:min(n, len(p))])
		n -= len(out[len(out)-1])
	}
	return out
}

// acceptsGzip reports whether an Accept-Encoding names gzip with a weight other than 0 (RFC 9110 12.5.3).
func acceptsGzip(header string) bool {
	for part := range strings.SplitSeq(header, ",") {
		coding, weight, weighed := strings.Cut(strings.ReplaceAll(part, " ", ""), ";q=")
		if strings.EqualFold(coding, "gzip") && (!weighed || strings.Trim(weight, "0.") != "") {
			return true
		}
	}
	return false
}

// matches reports whether an If-None-Match has an ETag (RFC 9110 13.1.2).
func matches(header, etag string) bool {
	for part := range strings.SplitSeq(header, ",") {
		part = strings.TrimPrefix(strings.TrimSpace(part), "W/")
		if part == "*" || part == strconv.Quote(etag) {
			return true
		}
	}
	return false
}

// anotherEntity returns the ID of an entity other than one, or of none if there is no other.
func (s *Server) anotherEntity(id string) string {
	for _, other := range s.FederationEntityIDs() {
		if other != id {
			return other
		}
	}
	return id + "?"
}
