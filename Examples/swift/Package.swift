// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "moves",
    dependencies: [
        // For your own package: .package(url: "https://...", from: "1.0.0")
        .package(name: "vidclass", path: "../..")
    ],
    targets: [
        .executableTarget(name: "Moves", dependencies: [.product(name: "VidClassKit", package: "vidclass")])
    ],
    swiftLanguageModes: [.v6]
)
