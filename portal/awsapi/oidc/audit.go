package oidc

import (
	"context"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/audit"
)

// auditToken writes that a program gets an access token, without the token. It waits until the event is on disk. After
// an error the program must not get it.
func (s *Server) auditToken(ctx context.Context, got portal.Authorization, scopes []string, until time.Time) error {
	if s.cfg.Audit == nil {
		return nil
	}
	return s.cfg.Audit.Grant(ctx, audit.Event{
		Source: audit.SourceSSO, Name: "CreateToken", Type: audit.APICall,
		Identity: audit.User(got.User.ID, got.User.UserName, got.Session.ID),
		Request:  map[string]string{"clientName": got.Session.Client, "scope": strings.Join(scopes, " ")},
		Response: map[string]string{"expiration": until.UTC().Format(time.RFC3339)},
	})
}
