//! One of the CA's two branches: a root, the one issuing CA it signed, and the key of that.
//!
//! Decides the shape of both certificates (RFC 5280: critical basicConstraints, keyUsage and nameConstraints for DNS *and*
//! addresses on each, serverAuth only on the issuing CA), because clients differ in what they enforce: with DNS
//! constraints alone, or on the root alone, some accept leaves they should not. The root's private key lives only inside
//! [`IssuingCa::create`].

use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints, PublicKeyData as _,
};
use time::{Duration, OffsetDateTime};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::X509Certificate;

use super::names::{IpNet, Permitted};
use super::shape::{self, Place};
use super::{Branch, CaError, Host, Leaf, LeafPurpose};
use crate::certificate::{Certificate, pem_text};

/// Certificates begin this long before now, for machines whose clocks are behind.
pub const BACKDATED: Duration = Duration::HOUR;
/// The longest life of a leaf.
pub const LEAF_LIFE: Duration = Duration::days(7);

/// Root, issuing certificate and issuing key of one branch.
#[derive(Debug)]
pub(super) struct IssuingCa {
    pub(super) root: Certificate,
    pub(super) certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
    pub(super) permitted: Permitted,
}

impl IssuingCa {
    pub(super) fn create(branch: Branch, permitted: Permitted, now: OffsetDateTime) -> Result<Self, CaError> {
        let life = branch.life();
        let root_key = KeyPair::generate()?;
        let mut root = authority(root_name(branch, &root_key), &permitted, now, life)?;
        root.is_ca = IsCa::Ca(BasicConstraints::Constrained(1));
        let root_certificate = Certificate::from_der(root.self_signed(&root_key)?.der())?;

        let key = KeyPair::generate()?;
        let mut issuing = authority(issuing_name(branch, &key), &permitted, now, life)?;
        issuing.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        issuing.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        issuing.use_authority_key_identifier_extension = true;
        let signed = issuing.signed_by(&key, &Issuer::from_params(&root, &root_key))?;
        let certificate = Certificate::from_der(signed.der())?;
        Ok(Self { root: root_certificate, certificate, issuer: Issuer::new(issuing, key), permitted })
    }

    /// From what [`Self::create`] made: refuses files that do not belong together.
    pub(super) fn from_pems(
        branch: Branch,
        root: &str,
        certificate: &str,
        key: &str,
    ) -> Result<Self, CaError> {
        let damaged = |reason: &'static str| CaError::Files { branch, reason };
        let root = Certificate::from_pem(root).map_err(|_| damaged("the root is not a certificate"))?;
        let certificate =
            Certificate::from_pem(certificate).map_err(|_| damaged("the issuing CA is not a certificate"))?;
        if key.len() > 4096 {
            return Err(damaged("the issuing key is not a P-256 key"));
        }
        let key = KeyPair::from_pkcs8_pem_and_sign_algo(key, &rcgen::PKCS_ECDSA_P256_SHA256)
            .map_err(|_| damaged("the issuing key is not a P-256 key"))?;

        let parsed_root = parse(root.der()).ok_or_else(|| damaged("the root is not a certificate"))?;
        let parsed =
            parse(certificate.der()).ok_or_else(|| damaged("the issuing CA is not a certificate"))?;
        if parsed.public_key().raw != key.subject_public_key_info() {
            return Err(damaged("the issuing key does not belong to the issuing CA"));
        }
        if !signed_by(&parsed, &parsed_root) || !signed_by(&parsed_root, &parsed_root) {
            return Err(damaged("the issuing CA was not signed by the root"));
        }
        // The name holds branch and key, so this also finds files of the other branch.
        let name = issuing_name(branch, &key);
        if !certificate.subject().starts_with(&format!("CN={},", common_name(&name))) || !parsed.is_ca() {
            return Err(damaged("the issuing CA has another name"));
        }
        let permitted =
            read_permitted(&parsed).ok_or_else(|| damaged("the issuing CA has no name constraints"))?;
        if read_permitted(&parsed_root).as_ref() != Some(&permitted) {
            return Err(damaged("root and issuing CA have different name constraints"));
        }
        for (parsed, place) in [(&parsed_root, Place::Root), (&parsed, Place::Issuing)] {
            shape::check(parsed, place, branch, &permitted).map_err(damaged)?;
        }
        let mut params = CertificateParams::default();
        params.distinguished_name = name;
        Ok(Self { root, certificate, issuer: Issuer::new(params, key), permitted })
    }

    pub(super) fn key_pem(&self) -> String {
        pem_text("PRIVATE KEY", self.issuer.key().serialized_der())
    }

    /// The first moment at which both certificates are valid.
    pub(super) fn not_before(&self) -> OffsetDateTime {
        self.certificate.not_before().max(self.root.not_before())
    }

    /// The last moment at which both certificates are valid.
    pub(super) fn not_after(&self) -> OffsetDateTime {
        self.certificate.not_after().min(self.root.not_after())
    }

    pub(super) fn is_valid_at(&self, now: OffsetDateTime) -> bool {
        self.not_before() <= now && now <= self.not_after()
    }

    /// Signs a leaf for whatever it is asked to.
    pub(super) fn sign_leaf(
        &self,
        branch: Branch,
        hosts: &[Host],
        purpose: LeafPurpose,
        now: OffsetDateTime,
    ) -> Result<Leaf, CaError> {
        if !self.is_valid_at(now) {
            return Err(CaError::NotValidNow { branch });
        }
        let mut params = CertificateParams::default();
        // No host in the subject: clients read the alternative names, and a host-like common name is one more name
        // that some would hold against the constraints.
        params.distinguished_name = named("mocktenant TLS leaf");
        params.not_before = now.saturating_sub(BACKDATED).max(self.not_before());
        params.not_after = params.not_before.saturating_add(LEAF_LIFE).min(self.not_after());
        params.subject_alt_names = hosts
            .iter()
            .map(|host| {
                Ok(match host {
                    Host::Dns(name) => rcgen::SanType::DnsName(name.as_str().try_into()?),
                    Host::Ip(address) => rcgen::SanType::IpAddress(*address),
                })
            })
            .collect::<Result<_, rcgen::Error>>()?;
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![match purpose {
            LeafPurpose::ServerAuth => ExtendedKeyUsagePurpose::ServerAuth,
            LeafPurpose::ClientAuth => ExtendedKeyUsagePurpose::ClientAuth,
            LeafPurpose::CodeSigning => ExtendedKeyUsagePurpose::CodeSigning,
        }];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let leaf = params.signed_by(&key, &self.issuer)?;
        Ok(Leaf {
            chain_der: vec![leaf.der().to_vec(), self.certificate.der().to_vec()],
            key_pkcs8_der: key.serialize_der(),
            branch,
            not_before: truncated(params.not_before),
            not_after: truncated(params.not_after),
        })
    }
}

/// What root and issuing CA have in common.
fn authority(
    name: DistinguishedName,
    permitted: &Permitted,
    now: OffsetDateTime,
    life: Duration,
) -> Result<CertificateParams, CaError> {
    let validity = now.checked_sub(BACKDATED).zip(now.checked_add(life));
    let (not_before, not_after) =
        validity.filter(|(from, to)| from.year() >= 0 && to.year() <= 9999).ok_or(CaError::Clock)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = name;
    params.not_before = not_before;
    params.not_after = not_after;
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let subnet =
        |net: &IpNet| GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(net.address(), net.prefix()));
    let dns = permitted.dns.iter().map(|name| GeneralSubtree::DnsName(name.clone()));
    let excluded_subtrees = if permitted.ip.is_empty() {
        // A type of name that is not mentioned is not constrained, so "no address" has to be said.
        vec![
            GeneralSubtree::IpAddress(CidrSubnet::from_v4_prefix([0; 4], 0)),
            GeneralSubtree::IpAddress(CidrSubnet::from_v6_prefix([0; 16], 0)),
        ]
    } else {
        Vec::new()
    };
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: dns.chain(permitted.ip.iter().map(subnet)).collect(),
        excluded_subtrees,
    });
    Ok(params)
}

fn named(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, "mocktenant");
    name.push(DnType::CommonName, common_name);
    name
}

fn root_name(branch: Branch, key: &KeyPair) -> DistinguishedName {
    named(&format!("mocktenant {branch} root {}", key_mark(key)))
}

fn issuing_name(branch: Branch, key: &KeyPair) -> DistinguishedName {
    named(&format!("mocktenant {branch} issuing CA {}", key_mark(key)))
}

/// Eight hex digits of the key, so that two CAs of two machines never share a name in one trust store.
fn key_mark(key: &KeyPair) -> String {
    let hash = crate::thumbprint::Thumbprint256::of_der(&key.subject_public_key_info()).to_string();
    hash[..8].to_owned()
}

fn common_name(name: &DistinguishedName) -> String {
    match name.get(&DnType::CommonName) {
        Some(rcgen::DnValue::Utf8String(text)) => text.clone(),
        _ => String::new(),
    }
}

fn parse(der: &[u8]) -> Option<X509Certificate<'_>> {
    x509_parser::parse_x509_certificate(der).ok().map(|(_, parsed)| parsed)
}

fn signed_by(certificate: &X509Certificate<'_>, issuer: &X509Certificate<'_>) -> bool {
    let key = aws_lc_rs::signature::UnparsedPublicKey::new(
        &aws_lc_rs::signature::ECDSA_P256_SHA256_ASN1,
        issuer.public_key().subject_public_key.data.as_ref(),
    );
    certificate.issuer().as_raw() == issuer.subject().as_raw()
        && key.verify(certificate.tbs_certificate.as_ref(), &certificate.signature_value.data).is_ok()
}

/// The permitted names as the certificate has them: what the CA can do is read from nowhere else.
fn read_permitted(certificate: &X509Certificate<'_>) -> Option<Permitted> {
    let constraints = certificate.name_constraints().ok()??;
    let mut permitted = Permitted { dns: Vec::new(), ip: Vec::new() };
    for subtree in constraints.value.permitted_subtrees.as_ref()? {
        match subtree.base {
            GeneralName::DNSName(name) => permitted.dns.push(name.to_owned()),
            GeneralName::IPAddress(octets) => permitted.ip.push(IpNet::from_constraint(octets)?),
            _ => return None,
        }
    }
    Some(permitted)
}

fn truncated(moment: OffsetDateTime) -> OffsetDateTime {
    moment.replace_nanosecond(0).unwrap_or(moment)
}

#[cfg(test)]
mod tests;
