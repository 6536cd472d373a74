package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/meridian-saml/meridian/acs/federation"
	"github.com/meridian-saml/meridian/saml"
)

// metadataSkew is the default of saml.Config and of federation.Config.
const metadataSkew = 180 * time.Second

// problem is why a document or an identity provider is not usable.
type problem struct {
	Reason string `json:"reason"`
	Detail string `json:"detail"`
}

func newProblem(err error) *problem {
	if e := new(saml.Error); errors.As(err, &e) {
		return &problem{string(e.Reason), withDetail(e.Rule, e.Explain())}
	}
	return &problem{string(saml.ReasonMetadata), err.Error()}
}

// checkDocument checks the document as package acs/federation does before it uses one.
func (o *metadataOptions) checkDocument(a *saml.Aggregate) (problems []*problem) {
	until, latest := a.ValidUntil(), o.now.Add(o.maxValidity+metadataSkew)
	validity := func(format string, args ...any) {
		problems = append(problems, &problem{string(federation.ReasonValidity), fmt.Sprintf(format, args...)})
	}
	switch {
	case until.IsZero() && (o.requireValidUntil || o.maxValidity > 0):
		validity("the root has no validUntil")
	case o.maxValidity > 0 && until.After(latest):
		validity("want a validUntil before %s, got %s", instant(latest), instant(until))
	case o.expired(until):
		problems = append(problems, &problem{string(saml.ReasonMetadataExpired),
			fmt.Sprintf("validUntil (Metadata 2.3.2): %s has passed", instant(until))})
	}
	if o.entity != "" && !a.Has(o.entity) {
		_, err := a.IdP(o.entity)
		problems = append(problems, newProblem(err))
	} else if a.Len() == 0 {
		problems = append(problems, &problem{string(saml.ReasonMetadata),
			"IDPSSODescriptor: no SAML 2.0 identity provider in it"})
	}
	return problems
}

func (o *metadataOptions) expired(until time.Time) bool {
	return !until.IsZero() && !o.now.Before(until.Add(metadataSkew)) && !o.config.InsecureAllowExpiredMetadata
}
