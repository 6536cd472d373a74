package saml

import (
	"fmt"
	"strconv"
)

// Scoping tells an identity provider that sends users on to others which of them may
// authenticate the user, and for whom (Core 3.4.1.2). It is advice: Verify doesn't
// check who authenticated the user.
type Scoping struct {
	// ProxyCount is how many more identity providers the request may be passed on
	// through. Zero: none, so the one that receives it authenticates the user itself.
	// Nil: any number.
	ProxyCount *uint
	// IDPList lists acceptable identity providers. At most 64. Empty: any.
	IDPList []IDPEntry
	// GetComplete is the address of the complete list, if IDPList is only a part of it
	// (Core 3.4.1.3). It needs IDPList. Empty: none.
	GetComplete string
	// RequesterIDs are the entity IDs of the service providers for which this one
	// asks. At most 64. Empty: it asks for itself.
	RequesterIDs []string
}

// IDPEntry is an identity provider that may authenticate the user (Core 3.4.1.3.1).
type IDPEntry struct {
	ProviderID string // its entity ID; required
	Name       string // for people; empty: none
	Loc        string // the address of its endpoint for such requests; empty: none
}

const maxScoping = 64

func (s *Scoping) check() error {
	if s == nil {
		return nil
	}
	const field = "RequestOptions.Scoping."
	switch {
	case len(s.IDPList) > maxScoping:
		return configError(field+"IDPList", "at most %d, got %d", maxScoping, len(s.IDPList))
	case len(s.RequesterIDs) > maxScoping:
		return configError(field+"RequesterIDs", "at most %d, got %d", maxScoping, len(s.RequesterIDs))
	case s.GetComplete != "" && len(s.IDPList) == 0:
		return configError(field+"GetComplete", "needs IDPList")
	}
	for i, entry := range s.IDPList {
		field := fmt.Sprintf("%sIDPList[%d].", field, i)
		if err := checkRequestText(field+"ProviderID", entry.ProviderID, true); err != nil {
			return err
		}
		if err := checkRequestText(field+"Name", entry.Name, false); err != nil {
			return err
		}
		if err := checkRequestText(field+"Loc", entry.Loc, false); err != nil {
			return err
		}
	}
	for i, id := range s.RequesterIDs {
		if err := checkRequestText(fmt.Sprintf("%sRequesterIDs[%d]", field, i), id, true); err != nil {
			return err
		}
	}
	return checkRequestText(field+"GetComplete", s.GetComplete, false)
}

func (s *Scoping) write(w *canonicalWriter) {
	if s == nil {
		return
	}
	count := ""
	if s.ProxyCount != nil {
		count = strconv.FormatUint(uint64(*s.ProxyCount), 10)
	}
	w.start("samlp:Scoping", attribute{"ProxyCount", count})
	if len(s.IDPList) > 0 {
		w.start("samlp:IDPList")
		for _, entry := range s.IDPList {
			w.element("samlp:IDPEntry", "", attribute{"Loc", entry.Loc}, attribute{"Name", entry.Name},
				attribute{"ProviderID", entry.ProviderID})
		}
		if s.GetComplete != "" {
			w.element("samlp:GetComplete", s.GetComplete)
		}
		w.end("samlp:IDPList")
	}
	for _, id := range s.RequesterIDs {
		w.element("samlp:RequesterID", id)
	}
	w.end("samlp:Scoping")
}
