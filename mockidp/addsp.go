package mockidp

import (
	"cmp"
	"slices"
)

// RegisterSP configures a SAML app from its service provider's metadata. The entity ID becomes the Audience. The
// assertion consumer services for HTTP-POST become the ACS list, with their indexes and in their order, but with
// the default (SAML Metadata 2.4.4) first. In an app with IdentityCenter they fill the form, which has no indexes.
// The signing keys become RequestCertificates and the first RSA key for encryption becomes EncryptionCertificate,
// without switching SignedRequests or Encrypt on. The first SingleLogoutService for HTTP-Redirect or HTTP-POST sets
// LogoutURL, LogoutResponseURL and LogoutBinding, and the first for SOAP sets LogoutSOAPURL. If the metadata lists
// formats of NameIDs, and the app's NameIDFormat isn't among them, the first becomes the app's. What the metadata lacks
// stays unchanged.
//
// The app's own metadata has a SingleLogoutService only from then on. A service provider that read it before doesn't
// ask for a logout until it reads it again; or set [App].LogoutURL at the start.
func (s *Server) RegisterSP(appID string, spMetadata []byte) error {
	return s.registerSP(appID, spMetadata, func(*spSettings) {})
}

// registerSP is RegisterSP with settings that change may change.
func (s *Server) registerSP(appID string, spMetadata []byte, change func(*spSettings)) error {
	sps, perr := parseSPs(spMetadata)
	if perr != nil {
		return perr
	}
	if len(sps) > 1 {
		return badMetadata("has "+itoa(len(sps))+" service providers; AddSP makes an app for each", nil)
	}
	if _, err := s.state.Load().samlApp(appID); err != nil {
		return err
	}
	change(&sps[0])
	return s.UpdateApp(appID, func(a *App) error { return a.applySP(sps[0]) })
}

// AddSP makes an app for each service provider in metadata, an EntityDescriptor or an EntitiesDescriptor, and assigns
// it to Everyone. The label is the display name of the metadata, else the organisation's, else the entity ID; the other
// settings are as in RegisterSP. A service provider that is the Audience of an app updates that app. The app that a
// Config without Apps has becomes that of the first service provider: its ID and addresses stay. Either all service
// providers are added, or none. AddSP returns their apps, in the order of the metadata.
func (s *Server) AddSP(spMetadata []byte) ([]App, error) {
	sps, perr := parseSPs(spMetadata)
	if perr != nil {
		return nil, perr
	}
	var made []App
	err := s.Update(func(c *Change) error {
		for _, sp := range sps {
			a, err := c.addSP(sp)
			if err != nil {
				return err
			}
			made = append(made, a)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return made, nil
}

// addSP adds an app for the settings of a service provider, or updates the one with its Audience.
func (c *Change) addSP(sp spSettings) (made App, err error) {
	id, found := c.st.spApp(sp.Audience)
	if !found {
		if len(c.st.apps) >= maxApps {
			return App{}, badConfig("there are already %d apps, the maximum", len(c.st.apps))
		}
		sp.ID, sp.ExternalKey = "0oa"+derivedID("sp app", c.st.salt+sp.Audience, 0),
			"exk"+derivedID("sp key", c.st.salt+sp.Audience, 0)
		sp.Label, sp.Groups = c.st.freeLabel(sp), []string{Everyone}
		sp.NameIDFormat = sp.nameIDFormat(NameIDEmail)
		return c.AddApp(sp.App)
	}
	err = c.UpdateApp(id, func(a *App) error {
		if a.Audience == "" {
			a.Label = c.st.freeLabel(sp)
		}
		return a.applySP(sp)
	})
	made, _ = c.App(id)
	return made, err
}

// spApp returns the ID of the app that is, or becomes, the one of a service provider.
func (st *state) spApp(audience string) (id string, found bool) {
	for _, a := range st.apps {
		if a.Kind == SAML && a.Audience == audience {
			return a.ID, true
		}
	}
	for _, a := range st.apps {
		if a.ID == st.placeholder && !st.anySP && a.Audience == "" && len(a.ACS) == 0 {
			return a.ID, true
		}
	}
	return "", false
}

// freeLabel returns the label of a service provider, or its entity ID where another app has that label.
func (st *state) freeLabel(sp spSettings) string {
	if slices.ContainsFunc(st.apps, func(a *App) bool { return a.Label == sp.Label }) {
		return shortLabel(sp.Audience)
	}
	return sp.Label
}

// applySP sets an app's settings to those of its service provider.
func (a *App) applySP(sp spSettings) error {
	a.Audience = sp.Audience
	if a.IdentityCenter != nil {
		a.IdentityCenter.IssuerURL = sp.Audience
	}
	if len(sp.RequestCertificates) > 0 {
		a.RequestCertificates = sp.RequestCertificates
	}
	a.EncryptionCertificate = cmp.Or(sp.EncryptionCertificate, a.EncryptionCertificate)
	a.NameIDFormat = sp.nameIDFormat(a.NameIDFormat)
	if sp.LogoutURL != "" {
		a.LogoutURL, a.LogoutResponseURL, a.LogoutBinding = sp.LogoutURL, sp.LogoutResponseURL, sp.LogoutBinding
	}
	a.LogoutSOAPURL = cmp.Or(sp.LogoutSOAPURL, a.LogoutSOAPURL)
	return a.setACS(sp.ACS)
}
