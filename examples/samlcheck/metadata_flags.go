package main

import (
	_ "embed" // usage
	"io"
	"time"

	"github.com/meridian-saml/meridian/saml"
)

// metadataOptions are the flags of samlcheck metadata.
type metadataOptions struct {
	config saml.Config // what the toggles set
	now    time.Time
	keys   []string // paths
	entity string   // empty: every one

	maxValidity       time.Duration
	requireValidUntil bool
	unsignedRequests  bool
	json, verbose     bool
	file              string // empty: standard input
}

//go:embed metadata.txt
var metadataUsage string

func parseMetadata(args []string, help io.Writer) (metadataOptions, error) {
	var o metadataOptions
	fs := newFlagSet("samlcheck metadata")
	fs.Func("key", "`FILE` with the publisher's certificate or public key in PEM, which the signature of the document "+
		"must verify with; repeatable", list(&o.keys))
	once(fs, "entity", "check only the identity provider with this entity ID, a `URI`", text(&o.entity))
	once(fs, "now", "check as of this `TIME`, RFC 3339 such as 2026-01-02T15:04:05Z (default: now)",
		func(s string) (err error) { o.now, err = parseTime(s); return err })
	once(fs, "max-validity", "the longest accepted `DURATION` until the document's validUntil, which is then required; "+
		"federations use 672h, which is 28 days", positive(&o.maxValidity))
	fs.BoolVar(&o.requireValidUntil, "require-valid-until", false, "refuse a document without validUntil")
	fs.BoolVar(&o.unsignedRequests, "unsigned-requests", false,
		"the service provider signs requests only for identity providers that want it")
	for _, t := range toggles {
		if t.name == "allow-expired-metadata" || t.name == "allow-rsa1024" {
			fs.BoolVar(t.field(&o.config), t.name, false, t.usage)
		}
	}
	fs.BoolVar(&o.verbose, "v", false, "describe every entity, also in a large document")
	fs.BoolVar(&o.json, "json", false, "write the report as JSON")
	var err error
	o.file, err = parseFlags(fs, args, help, metadataUsage, func() error { return nil })
	return o, err
}

func (o *metadataOptions) inspect() saml.InspectOptions {
	return saml.InspectOptions{
		Now: o.now, Skew: metadataSkew, UnsignedRequests: o.unsignedRequests,
		InsecureAllowRSA1024:         o.config.InsecureAllowRSA1024,
		InsecureAllowExpiredMetadata: o.config.InsecureAllowExpiredMetadata,
	}
}
