package main

import (
	"io"
	"time"

	"github.com/meridian-saml/meridian/saml"
)

// metadataJSON writes the report as JSON. The usage text documents it. Every key is always there.
type metadataJSON struct {
	out   io.Writer
	now   time.Time
	err   error
	began bool // there was an entity
}

func (w *metadataJSON) begin(a *saml.Aggregate, _ []*problem) {
	var d *documentJSON
	if a != nil {
		d = &documentJSON{rootOf(a), a.Verified(), instantOrEmpty(a.ValidUntil()), seconds(a.CacheDuration()),
			instantOrEmpty(a.CreationInstant())}
	}
	w.write("{\n  \"document\": ", indented(d, "  "), ",\n  \"entities\": [")
}

func (w *metadataJSON) entity(r *saml.EntityReport) {
	comma := ""
	if w.began {
		comma = ","
	}
	w.began = true
	w.write(comma+"\n    ", indented(newEntityJSON(r, w.now), "    "))
}

func (w *metadataJSON) end(s metadataSummary) error {
	text := "]"
	if w.began {
		text = "\n  ]"
	}
	tail := indented(struct {
		metadataSummary
		Usable   bool       `json:"usable"`
		Problems []*problem `json:"problems"`
	}{s, s.Usable(), append([]*problem{}, s.problems...)}, "")
	w.write(text+",", tail[1:]+"\n")
	return w.err
}

func (w *metadataJSON) write(texts ...string) {
	for _, text := range texts {
		if w.err == nil {
			_, w.err = io.WriteString(w.out, text)
		}
	}
}
