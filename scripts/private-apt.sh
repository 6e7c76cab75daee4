# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# shellcheck shell=sh
#
# For scripts that read it with `.`: packages and package sources of this or another release, from
# where this machine has its own. apt gets lists and sources of its own in a directory, so the
# machine's configuration and its installed packages stay as they are.

# The archive of this machine's release: "URI CODENAME KEYRING ID". Empty if apt has no source of it.
private_apt__archive()
{
	# shellcheck source=/dev/null
	. /etc/os-release
	keys=/usr/share/keyrings/${ID-}-archive-keyring
	[ -e "$keys.gpg" ] && keys=$keys.gpg || keys=$keys.pgp
	# shellcheck disable=SC2016 # apt fills it in
	apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
		awk -v codename="${VERSION_CODENAME-}" -v keys="$keys" -v id="${ID-}" '
			$1 ~ "^(" codename "|oldoldstable|oldstable|stable|testing|unstable|sid)$" &&
				$2 == "main" { print $3, codename, keys, id; exit }'
}

# Makes DIRECTORY with the lines of sources.list that come on standard input.
private_apt__new() # DIRECTORY
{
	rm -rf "$1"
	mkdir -p "$1/none" "$1/lists/partial" "$1/cache/archives/partial"
	: >"$1/status"
	cat >"$1/sources.list"
}

# Runs apt-get or apt-cache with the sources of DIRECTORY, as if nothing were installed.
private_apt__run() # DIRECTORY COMMAND ARGS...
{
	state=$1 command=$2
	shift 2
	"$command" -q -o Dir::Etc::SourceList="$state/sources.list" \
		-o Dir::Etc::SourceParts="$state/none" -o Dir::Etc::Preferences="$state/status" \
		-o Dir::Etc::PreferencesParts="$state/none" \
		-o Dir::State="$state" -o Dir::State::Status="$state/status" \
		-o Dir::Cache="$state/cache" -o APT::Sandbox::User="$(id -un)" "$@" </dev/null
}
