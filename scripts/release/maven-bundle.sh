#!/usr/bin/env bash
# Makes the archive that Maven Central's publisher takes: each artifact with its POM, signature and checksums, in folders as
# a repository has them. NOT UPLOADED by anybody yet; that it is laid out and signed was tried with a key made for it.
#
#   maven-bundle.sh BUNDLE.zip POM=FILE...     sdk-ffi/kotlin/pom.xml=trailmark-0.1.0.jar …
#
# Beside a jar or AAR lie what Central wants of it: -sources.jar and -javadoc.jar. MAVEN_GPG_PASSPHRASE is the key's.
set -euo pipefail
bundle=$(realpath -m "${1:?the archive}")
shift
[ $# -gt 0 ] || { sed -n '2,7p' "$0" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The first element of this name, which in a POM without a parent is the artifact's own.
told() { sed -n "s|.*<$2>\(.*\)</$2>.*|\1|p" "$1" | head -n 1; }

# artifact POM FILE
artifact() {
  local pom=$1 file=$2 group name version directory kind
  group=$(told "$pom" groupId) name=$(told "$pom" artifactId) version=$(told "$pom" version)
  directory=$work/${group//.//}/$name/$version
  mkdir -p "$directory"
  cp "$pom" "$directory/$name-$version.pom"
  cp "$file" "$directory/$name-$version.${file##*.}"
  for kind in sources javadoc; do
    cp "${file%.*}-$kind.jar" "$directory/$name-$version-$kind.jar"
  done
}

sign() {
  gpg --batch --yes --pinentry-mode loopback --passphrase-fd 3 --armor --detach-sign "$1" 3<<< "${MAVEN_GPG_PASSPHRASE-}"
  md5sum "$1" | cut -d ' ' -f 1 > "$1.md5"
  sha1sum "$1" | cut -d ' ' -f 1 > "$1.sha1"
}

for pair; do artifact "${pair%%=*}" "${pair#*=}"; done
while IFS= read -r -d '' file; do sign "$file"; done < <(find "$work" -type f -print0)
rm -f "$bundle"
(cd "$work" && zip -qr "$bundle" .)
unzip -l "$bundle"
