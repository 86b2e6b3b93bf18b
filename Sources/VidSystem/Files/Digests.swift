import COpenSSL

/// The SHA-256 of bytes that come in pieces (FIPS 180-4), by OpenSSL.
package struct SHA256: Sendable {
    private var state = vc_sha256_start()

    package init() {}

    package mutating func update(_ bytes: UnsafeRawBufferPointer) { vc_sha256_add(&state, bytes.baseAddress, bytes.count) }

    package mutating func update(_ bytes: [UInt8]) { bytes.withUnsafeBytes { update($0) } }

    /// The 32 bytes of the digest of everything that was given so far.
    package func digest() -> [UInt8] {
        var last = state
        return [UInt8](unsafeUninitializedCapacity: 32) { digest, count in
            vc_sha256_end(&last, digest.baseAddress)
            count = 32
        }
    }

    /// The 32 bytes of the digest of `bytes`.
    package static func digest(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        var hash = SHA256()
        hash.update(bytes)
        return hash.digest()
    }

    package static func digest(_ bytes: [UInt8]) -> [UInt8] { bytes.withUnsafeBytes { digest($0) } }
}

/// The MD5 of bytes that come in pieces (RFC 1321), by OpenSSL. It finds damage, not malice: for files of which nothing better is published.
package struct MD5: Sendable {
    private var state = vc_md5_start()

    package init() {}

    package mutating func update(_ bytes: UnsafeRawBufferPointer) { vc_md5_add(&state, bytes.baseAddress, bytes.count) }

    /// The 16 bytes of the digest of everything that was given so far.
    package func digest() -> [UInt8] {
        var last = state
        return [UInt8](unsafeUninitializedCapacity: 16) { digest, count in
            vc_md5_end(&last, digest.baseAddress)
            count = 16
        }
    }
}
