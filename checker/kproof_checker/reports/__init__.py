"""What a check found, told: as text, JSON, JUnit XML, SARIF and GitHub annotations."""
