package diagnose

// Firewall is what this machine's own packet filter does with new connections
// to xrdp's ports from elsewhere.
type Firewall struct {
	// Manager is who writes the rules: "firewalld", "ufw", "nftables", "" where no
	// rules were found.
	Manager string `json:"manager,omitempty"`
	// Blocked are the ports that nobody from elsewhere reaches. A port that some
	// addresses or interfaces reach is not among them.
	Blocked []BlockedPort `json:"blocked,omitempty"`
}

// BlockedPort is a TCP port that is shut.
type BlockedPort struct {
	Port int `json:"port"`
	// Where names the chain, zone or file that shuts it, and by what.
	Where string `json:"where"`
	Zone  string `json:"zone,omitempty"` // of firewalld
}
