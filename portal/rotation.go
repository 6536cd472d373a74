package portal

import (
	"context"
	"net/http"

	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/portal/audit"
	"github.com/meridian-saml/meridian/portal/center"
)

const pathRotation = pathRegion + "/rotation"

// rotationBody is the question before an operator changes the rotation of this Region.
type rotationBody struct {
	Region  center.Region
	Out     bool // whether it is out of rotation
	Last    bool // whether no other Region is known to be in rotation
	Typed   string
	Problem string
}

const textNotTyped = "What you typed is not the name of the Region. Nothing was changed."

// updates is a Directory in which this Region can write, such as a *center.View.
type updates interface {
	Update(change func(*center.Tx) error) error
}

// mayRotate reports whether operators can change the rotation of this Region.
func (p *Portal) mayRotate() bool {
	_, writes := p.cfg.Directory.(updates)
	return writes && p.directory() != nil
}

// outOfRotation reports whether an operator took this Region out of rotation.
func (p *Portal) outOfRotation() bool {
	s := p.directory()
	if s == nil {
		return false
	}
	_, out := s.OutOfRotation(p.cfg.Region)
	return out
}

// lastInRotation reports whether no other Region is in rotation, active and heard.
func (p *Portal) lastInRotation(s *center.Snapshot) bool {
	heard := p.peers()
	for _, r := range s.Regions() {
		_, out := s.OutOfRotation(r.Name)
		peer, known := heard[r.Name]
		lost := p.cfg.Replication != nil && (!known || peer.cutOff())
		if r.Name != p.cfg.Region && r.Active() && !out && !lost {
			return false
		}
	}
	return true
}

// rotates serves operators in the Region whose rotation it is. In another one the page leads there.
func (p *Portal) rotates(h visitHandler) http.HandlerFunc {
	return p.operator(func(w http.ResponseWriter, r *http.Request, v *visit) {
		region, ok := p.regionNamed(r.PathValue("region"))
		switch {
		case !ok || !p.mayRotate():
			p.notFound(w, r)
		case region.Name != p.cfg.Region:
			texts := p.theme.Texts(r)
			body := messageBody{
				Text:   texts.T("The rotation of a Region is changed in that Region, so that it never waits for another one."),
				Action: texts.T(textOpenPrimary, region.Name), Href: p.openPath(p.place(r), region, r.URL),
			}
			p.render(w, r, http.StatusForbidden, "message", v.page("Only in that Region", "operator", body))
		default:
			h(w, r, v)
		}
	})
}

func (p *Portal) rotationPage(w http.ResponseWriter, r *http.Request, v *visit) {
	p.renderRotation(w, r, v, http.StatusOK, rotationBody{})
}

func (p *Portal) renderRotation(w http.ResponseWriter, r *http.Request, v *visit, status int, b rotationBody) {
	b.Region, _ = p.regionNamed(p.cfg.Region)
	b.Out, b.Last = p.outOfRotation(), p.lastInRotation(p.directory())
	p.render(w, r, status, "rotation", v.page("Rotation", "operator", b))
}

// setRotation takes this Region out of rotation, or puts it back. To take the last one out, its name must be typed.
func (p *Portal) setRotation(w http.ResponseWriter, r *http.Request, v *visit) {
	if err := r.ParseForm(); err != nil {
		p.badRequest(w, r)
		return
	}
	in := r.PostForm.Get("rotation") == "in"
	if !in && r.PostForm.Get("rotation") != "out" {
		p.badRequest(w, r)
		return
	}
	typed := r.PostForm.Get("confirm")
	if !in && typed != p.cfg.Region && p.lastInRotation(p.directory()) {
		p.renderRotation(w, r, v, http.StatusUnprocessableEntity, rotationBody{Typed: typed, Problem: textNotTyped})
		return
	}
	err := p.cfg.Directory.(updates).Update(func(tx *center.Tx) error { return tx.SetRotation(in) })
	p.auditRotation(r.Context(), v.session, in, err)
	if err != nil {
		p.refuseVisit(w, r, unavailable("write of the rotation", err))
		return
	}
	p.log.WarnContext(r.Context(), "portal: rotation changed", "in", in, "by", v.user.UserName)
	http.Redirect(w, r, regionPath(p.cfg.Region), http.StatusSeeOther)
}

// auditRotation writes that an operator changed the rotation of this Region.
func (p *Portal) auditRotation(ctx context.Context, by sessions.Session, in bool, failed error) {
	if p.cfg.Audit == nil {
		return
	}
	name := "TakeRegionOutOfRotation"
	if in {
		name = "PutRegionIntoRotation"
	}
	e := audit.Event{
		Source: audit.SourceSSO, Name: name, Identity: audit.User(by.UserID, by.UserName, by.ID),
		Request: map[string]string{"regionName": p.cfg.Region},
	}
	if failed != nil {
		e.ErrorCode = string(ReasonUnavailable)
	}
	_ = p.cfg.Audit.Change(ctx, e)
}
