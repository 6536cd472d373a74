package region

import (
	"net/http"

	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/awsapi"
	"github.com/meridian-saml/meridian/portal/awsapi/access"
	"github.com/meridian-saml/meridian/portal/awsapi/oidc"
	"github.com/meridian-saml/meridian/portal/awsapi/sts"
)

// InstanceID is the ID of a new instance that serves AWS's command lines.
const InstanceID = "ssoins-7223aaaabbbbcccc"

// AWS is how a Region serves AWS's command lines.
type AWS struct {
	// Key seals what the command lines keep. All Regions have the same one.
	Key []byte
	// StartURLs are addresses besides the portal's own that the command lines' configuration may have.
	StartURLs []string
}

// serveAWS begins to serve AWS's command lines with a portal, if the Region does. It returns the portal's handler.
func (r *Region) serveAWS(p *portal.Portal) (http.Handler, error) {
	if r.cfg.AWS == nil {
		return p, nil
	}
	sealer, err := awsapi.NewSealer(r.cfg.AWS.Key)
	if err != nil {
		return nil, err
	}
	name, instance := r.cfg.Place.Name, r.View().Metadata().ID
	clients, err := oidc.New(oidc.Config{
		Portal: p, Store: r.cfg.Store, Sealer: sealer, Instance: instance, StartURLs: r.cfg.AWS.StartURLs,
		Logger: r.cfg.Logger, Audit: r.audit,
	})
	if err != nil {
		return nil, err
	}
	events := awsapi.AuditConfig{Log: r.audit}
	roles := awsapi.SealedRoles{Sealer: sealer, Instance: instance}
	accounts, err := access.New(access.Config{
		Region: name, Grants: clients, Directory: r.View(), RoleSuffix: r.View().RoleSuffix, Issuer: roles,
		Tokens: awsapi.Tokens{Sealer: sealer, Audience: instance + "|" + name}, Logger: r.cfg.Logger,
		Audit: events,
	})
	if err != nil {
		return nil, err
	}
	identity, err := sts.New(sts.Config{Region: name, Credentials: roles, Logger: r.cfg.Logger, Audit: events})
	if err != nil {
		return nil, err
	}
	api := awsapi.Mux(name, awsapi.Services{OIDC: clients, Access: accounts, STS: identity})
	r.api.Store(&api)
	return clients.Pages(), nil
}

// withKeys makes the portal show access keys, if the Region serves AWS's command lines.
func (r *Region) withKeys(cfg *portal.Config) error {
	if r.cfg.AWS == nil {
		return nil
	}
	sealer, err := awsapi.NewSealer(r.cfg.AWS.Key)
	if err != nil {
		return err
	}
	cfg.Credentials = access.Environment{
		Region: cfg.Region, Logger: cfg.Logger,
		Issuer: awsapi.SealedRoles{Sealer: sealer, Instance: r.View().Metadata().ID},
	}
	return nil
}

// API returns the handler for AWS's command lines. It answers 503 until the Region is replicated.
func (r *Region) API() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if h := r.api.Load(); h != nil {
			(*h).ServeHTTP(w, req)
			return
		}
		NotYet(w, r.cfg.Place.Name+" does not serve command lines.")
	})
}
