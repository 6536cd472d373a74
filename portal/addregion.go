package portal

import (
	"cmp"
	"errors"
	"net/http"
	"slices"

	"github.com/meridian-saml/meridian/portal/center"
)

// addRegionBody is the page on which operators add a Region: what must hold before, the Regions to choose from, and the
// question before it begins.
type addRegionBody struct {
	Checklist []checklistRow
	Ready     bool // the instance meets all prerequisites
	Choices   []choice
	Others    []refusedPlaces
	Chosen    *center.Region
	Place     center.Place // of Chosen
	Problem   *refusedChange
	Asked     string // the name of the Region that Problem is about
}

type checklistRow struct {
	Text    string
	Refused *refusedChange // nil: it is met
}

// choice is a Region to choose from, with what speaks for and against it.
type choice struct {
	center.Advice
	Selected bool
}

// refusedPlaces are Regions that can't be added, for one reason.
type refusedPlaces struct {
	Places  []center.Place
	Refused *refusedChange
}

func (p *Portal) addRegionPage(w http.ResponseWriter, r *http.Request, v *visit) {
	name := r.URL.Query().Get("region")
	if name == "" {
		p.renderAddRegion(w, r, v, http.StatusOK, addRegionBody{})
		return
	}
	chosen, err := p.regionToAdd(r, v, name)
	if err != nil {
		p.refuseAdding(w, r, v, name, err)
		return
	}
	body := addRegionBody{Chosen: &chosen}
	body.Place, _ = center.PlaceOf(name)
	p.renderAddRegion(w, r, v, http.StatusOK, body)
}

func (p *Portal) refuseAdding(w http.ResponseWriter, r *http.Request, v *visit, name string, err error) {
	p.refuseChange(w, r, "AddRegion", name, err, func(status int, why *refusedChange) {
		p.renderAddRegion(w, r, v, status, addRegionBody{Asked: name, Problem: why})
	})
}

// regionToAdd returns a Region with its addresses, if it can be added now.
func (p *Portal) regionToAdd(r *http.Request, v *visit, name string) (center.Region, error) {
	admin := p.cfg.RegionAdmin
	if err := admin.Control.Check(admin.caller(p.cfg.Region, v)); err != nil {
		return center.Region{}, err
	}
	if err := admin.Control.Admission.Region(r.Context(), admin.snapshot(), name); err != nil {
		return center.Region{}, err
	}
	out, err := admin.Addresses(name)
	place, _ := center.PlaceOf(name)
	out.Name, out.Label = name, cmp.Or(out.Label, place.Site)
	return out, err
}

func (p *Portal) addRegion(w http.ResponseWriter, r *http.Request, v *visit) {
	if err := r.ParseForm(); err != nil || r.PostForm.Get("region") == "" {
		p.badRequest(w, r)
		return
	}
	name, admin := r.PostForm.Get("region"), p.cfg.RegionAdmin
	region, err := p.regionToAdd(r, v, name)
	region.Name = name
	if err == nil {
		region.Status, err = admin.Control.AddRegion(r.Context(), admin.caller(p.cfg.Region, v), region)
	}
	p.auditRegion(r.Context(), v.session, "AddRegion", region, err)
	if err != nil {
		p.refuseAdding(w, r, v, name, err)
		return
	}
	p.log.InfoContext(r.Context(), "portal: Region is being added", "added", name, "by", v.user.UserName)
	if p.changed(w, r, v, region) {
		http.Redirect(w, r, regionPath(name), http.StatusSeeOther)
	}
}

// refuseChange shows why a change of Regions was refused. An error that is not of package center is of the store.
func (p *Portal) refuseChange(w http.ResponseWriter, r *http.Request, what, region string, err error,
	show func(status int, why *refusedChange)) {
	p.log.WarnContext(r.Context(), "portal: change of a Region refused", "change", what, "changed", region, "error", err)
	var e *center.Error
	if !errors.As(err, &e) {
		p.refuseVisit(w, r, unavailable("write of the instance", err))
		return
	}
	show(http.StatusUnprocessableEntity, explain(err))
}

func (p *Portal) renderAddRegion(w http.ResponseWriter, r *http.Request, v *visit, status int, body addRegionBody) {
	admin := p.cfg.RegionAdmin
	s := admin.snapshot()
	advice := admin.Control.Advise(r.Context(), s, admin.Wish)
	body.Checklist, body.Ready = checklist(admin.Control.Prerequisites(s), advice)
	for _, one := range advice {
		if _, added := s.Region(one.Place.Name); added {
			continue
		}
		if one.Err == nil {
			body.Choices = append(body.Choices, choice{one, len(body.Choices) == 0})
		} else {
			body.Others = withPlace(body.Others, one)
		}
	}
	p.render(w, r, status, "addregion", v.page("Add Region", "operator", body))
}

// withPlace adds a Region to those that can't be added for the same reason.
func withPlace(list []refusedPlaces, a center.Advice) []refusedPlaces {
	refused := explain(a.Err)
	i := slices.IndexFunc(list, func(l refusedPlaces) bool { return l.Refused.why == refused.why })
	if i < 0 {
		return append(list, refusedPlaces{[]center.Place{a.Place}, refused})
	}
	list[i].Places = append(list[i].Places, a.Place)
	return list
}

// checklist returns the prerequisites as rows, and whether the instance meets all of them. The one of the key is met if
// a Region can be added, or if no Region lacks a replica key.
func checklist(all []center.Requirement, advice []center.Advice) (rows []checklistRow, ready bool) {
	ready = true
	for _, one := range all {
		row := checklistRow{Text: textPrerequisites[one.Prerequisite], Refused: explain(one.Err)}
		ready = ready && one.Err == nil
		if one.Prerequisite == center.PrerequisiteKey && one.Err == nil {
			row.Refused = noReplica(advice)
		}
		rows = append(rows, row)
	}
	return rows, ready
}

// noReplica returns why no Region can be added, if the replica key is what the first one lacks.
func noReplica(advice []center.Advice) *refusedChange {
	lacks := func(a center.Advice) bool {
		var e *center.Error
		return errors.As(a.Err, &e) && e.Reason == center.ReasonKeyReplica
	}
	i := slices.IndexFunc(advice, lacks)
	if i < 0 || slices.ContainsFunc(advice, func(a center.Advice) bool { return a.Err == nil }) {
		return nil
	}
	return &refusedChange{why: textReasons[center.ReasonKeyReplica], Detail: advice[i].Place.Label()}
}
