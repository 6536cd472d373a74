package center

// A RegionStatus is where a Region stands on its way in or out.
type RegionStatus string

// The statuses of a Region.
const (
	// RegionActive: the Region's endpoints serve. The zero value means this.
	RegionActive RegionStatus = "ACTIVE"
	// RegionAdding: the instance is being replicated to the Region; its
	// endpoints are not in use yet.
	RegionAdding RegionStatus = "ADDING"
	// RegionRemoving: the Region is being taken out. Its endpoints are not in use
	// any more, and it still has its data: Tx.RemoveRegion is what makes package
	// replica erase that.
	RegionRemoving RegionStatus = "REMOVING"
)

// A Region is one place the instance serves from.
type Region struct {
	// Name is the Region's code, such as eu-central-1. Required and unique.
	Name string `json:"name"`
	// Label is a name for people, such as "Europe (Frankfurt)". Empty: none.
	Label string `json:"label,omitempty"`
	// Status is empty or one of the constants; empty means RegionActive.
	Status RegionStatus `json:"status,omitempty"`
	// PortalURLs are the addresses of the Region's access portal, such as the
	// IPv4-only and the dual-stack one. Pages link to the first. Empty: the
	// Region has no portal that others could link to.
	PortalURLs []string `json:"portalUrls,omitempty"`
	// ACSURLs are the Region's assertion consumer service URLs, in order.
	ACSURLs []string `json:"acsUrls,omitempty"`
}

// PortalURL returns the first of the Region's portal URLs, or "".
func (r Region) PortalURL() string {
	if len(r.PortalURLs) == 0 {
		return ""
	}
	return r.PortalURLs[0]
}

// Active says whether the Region's endpoints serve.
func (r Region) Active() bool { return r.Status == "" || r.Status == RegionActive }
