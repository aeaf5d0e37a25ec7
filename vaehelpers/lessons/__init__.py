"""What one lesson alone needs: its figures, sliders and checks, a module for each lesson."""
