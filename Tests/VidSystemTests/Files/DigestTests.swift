import Testing
import VidSystem

/// The examples of FIPS 180-2 (appendix B) and RFC 1321 (appendix A.5).
struct DigestTests {
    @Test(
        "SHA-256 is that of the standard",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
            (String(repeating: "a", count: 1_000_000), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
        ])
    func sha256(text: String, expected: String) {
        #expect(SHA256.digest(Array(text.utf8)).hexadecimal == expected)
    }

    @Test(
        "MD5 is that of the standard",
        arguments: [
            ("", "d41d8cd98f00b204e9800998ecf8427e"), ("abc", "900150983cd24fb0d6963f7d28e17f72"),
            ("12345678901234567890123456789012345678901234567890123456789012345678901234567890", "57edf4a22be3c955ac49da2e2107b67a"),
        ])
    func md5(text: String, expected: String) {
        var hash = MD5()
        Array(text.utf8).withUnsafeBytes { hash.update($0) }
        #expect(hash.digest().hexadecimal == expected)
    }

    @Test("The digest of pieces is that of the whole, a copy goes its own way, and asking changes nothing")
    func pieces() {
        let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        for size in [1, 3, 63, 64, 65, 999] {
            var hash = SHA256()
            for start in stride(from: 0, to: bytes.count, by: size) {
                hash.update(Array(bytes[start..<min(start + size, bytes.count)]))
                _ = hash.digest()
                var other = hash
                other.update([1])
            }
            #expect(hash.digest() == SHA256.digest(bytes), "pieces of \(size) bytes")
        }
    }
}
