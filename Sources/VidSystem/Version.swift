/// The version of vidclass.
package enum Version {
    /// Of the program, of the library and of what they write.
    package static let number = "1.0.0"
}
